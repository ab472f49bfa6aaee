// SPDX-License-Identifier: Apache-2.0

// Command log looks at a published log with the Go team's sumdb libraries, which share no code with ours:
//
//	log vkey VKEY                               its parts fit together
//	log checkpoint FOLDER VKEY [WITNESS]...     the log's signature, and each witness's line
//	log inclusion FOLDER VKEY RECEIPTS          every receipt's path, to its own head
//	log consistency FOLDER VKEY RECEIPTS        every receipt's head is a prefix of all later ones
//	log tiles FOLDER VKEY                       every entry, read through the tiles; the root from entries alone
//	log witness VKEY NAME                       a witness: prints its vkey and port, and serves until it is ended
//
// RECEIPTS is NDJSON, an object with a "receipt" a line.  What must be refused is tried too.  Prints what it looked at;
// exit 1 with what is wrong.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

func need(good bool, format string, args ...interface{}) {
	if !good {
		fmt.Printf(format+"\n", args...)
		os.Exit(1)
	}
}

func must(err error, what string) {
	need(err == nil, "%s: %v", what, err)
}

// A checkpoint's three lines.
func head(text string) (string, tlog.Tree) {
	lines := strings.Split(text, "\n")
	need(len(lines) == 4 && lines[3] == "", "%q is not three lines", text)
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "size")
	root, err := tlog.ParseHash(lines[2])
	must(err, "root")
	return lines[0], tlog.Tree{N: size, Hash: root}
}

func verifier(vkey string) note.Verifier {
	v, err := note.NewVerifier(vkey)
	must(err, vkey)
	return v
}

// A note signed by the log: its head.
func open(text []byte, log note.Verifier) tlog.Tree {
	n, err := note.Open(text, note.VerifierList(log))
	must(err, "note")
	origin, tree := head(n.Text)
	need(origin == log.Name(), "%s is not %s", origin, log.Name())
	return tree
}

func flipped(data []byte, bit int) []byte {
	out := append([]byte(nil), data...)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}

func flippedHash(h tlog.Hash, bit int) tlog.Hash {
	h[bit/8] ^= 1 << (bit % 8)
	return h
}

// ---- a receipt ----

type receipt struct {
	leaf  []byte
	index int64
	proof tlog.RecordProof
	note  []byte
	tree  tlog.Tree
}

func parseReceipt(text []byte, log note.Verifier) receipt {
	i := bytes.Index(text, []byte("\n\n"))
	need(i > 0, "a receipt without an empty line")
	lines := strings.Split(string(text[:i]), "\n")
	need(len(lines) >= 3 && lines[0] == "c2sp.org/tlog-proof@v1", "not a receipt: %q", lines[0])
	var r receipt
	var err error
	r.leaf, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	must(err, "extra")
	r.index, err = strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	must(err, "index")
	for _, line := range lines[3:] {
		h, err := tlog.ParseHash(line)
		must(err, "path")
		r.proof = append(r.proof, h)
	}
	r.note = text[i+2:]
	r.tree = open(r.note, log)
	return r
}

func receipts(path string, log note.Verifier) []receipt {
	f, err := os.Open(path)
	must(err, path)
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	var out []receipt
	for in.Scan() {
		var row struct{ Receipt string }
		must(json.Unmarshal(in.Bytes(), &row), path)
		out = append(out, parseReceipt([]byte(row.Receipt), log))
	}
	must(in.Err(), path)
	need(len(out) > 0, "no receipts")
	return out
}

// ---- tiles of a folder ----

type folder struct {
	dir   string
	read  int
	spoil string // the tile of this path gets another bit
}

func (f *folder) Height() int                      { return tileHeight }
func (f *folder) SaveTiles([]tlog.Tile, [][]byte)  {}
func (f *folder) path(t tlog.Tile) string          { return strings.Replace(t.Path(), "tile/8/", "tile/", 1) }
func (f *folder) file(name string) ([]byte, error) { return os.ReadFile(filepath.Join(f.dir, name)) }
func (f *folder) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		data, err := f.file(f.path(t))
		if err != nil {
			return nil, err
		}
		if f.path(t) == f.spoil {
			data = flipped(data, 8*len(data)-1)
		}
		f.read++
		out = append(out, data)
	}
	return out, nil
}

func checkpoint(dir string, log note.Verifier) tlog.Tree {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err, "checkpoint")
	return open(text, log)
}

// ---- what is asked for ----

func doCheckpoint(dir string, log note.Verifier, witnesses []string) {
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err, "checkpoint")
	known := []note.Verifier{log}
	for _, vkey := range witnesses {
		known = append(known, newCosigner(vkey))
	}
	n, err := note.Open(text, note.VerifierList(known...))
	must(err, "checkpoint")
	need(len(n.Sigs) == len(known) && len(n.UnverifiedSigs) == 0, "%d signatures verified, %d unknown", len(n.Sigs), len(n.UnverifiedSigs))
	_, tree := head(n.Text)
	refused := 0
	try := func(text []byte, what string) {
		m, err := note.Open(text, note.VerifierList(known...))
		need(err != nil || len(m.Sigs) < len(known), "accepted with another bit %s", what)
		refused++
	}
	for bit := 0; bit < 8*len(n.Text); bit++ {
		try(flipped(text, bit), "in its head")
	}
	for _, sig := range n.Sigs {
		field, err := base64.StdEncoding.DecodeString(sig.Base64)
		must(err, sig.Name)
		for bit := 0; bit < 8*len(field); bit++ {
			other := base64.StdEncoding.EncodeToString(flipped(field, bit))
			try(bytes.Replace(text, []byte(sig.Base64), []byte(other), 1), "in the line of "+sig.Name)
		}
	}
	fmt.Printf("size %d, %d signatures; refused with one bit changed: %d\n", tree.N, len(n.Sigs), refused)
}

func doInclusion(dir string, log note.Verifier, path string) {
	newest := checkpoint(dir, log)
	all := receipts(path, log)
	for i, r := range all {
		h := tlog.RecordHash(r.leaf)
		need(r.tree.N <= newest.N, "receipt %d is of size %d, over the checkpoint's", i, r.tree.N)
		must(tlog.CheckRecord(r.proof, r.tree.N, r.tree.Hash, r.index, h), "receipt "+strconv.Itoa(i))
		need(tlog.CheckRecord(r.proof, r.tree.N, flippedHash(r.tree.Hash, i%256), r.index, h) != nil &&
			tlog.CheckRecord(r.proof, r.tree.N, r.tree.Hash, r.index, flippedHash(h, i%256)) != nil &&
			(r.index == 0 || tlog.CheckRecord(r.proof, r.tree.N, r.tree.Hash, r.index-1, h) != nil), "receipt %d proves another entry too", i)
	}
	fmt.Printf("%d receipts\n", len(all))
}

func doConsistency(dir string, log note.Verifier, path string) {
	newest := checkpoint(dir, log)
	reader := tlog.TileHashReader(newest, &folder{dir: dir})
	bySize := map[int64]tlog.Tree{newest.N: newest}
	for _, r := range receipts(path, log) {
		old, there := bySize[r.tree.N]
		need(!there || old == r.tree, "two heads of size %d", r.tree.N)
		bySize[r.tree.N] = r.tree
	}
	heads := make([]tlog.Tree, 0, len(bySize))
	for _, tree := range bySize {
		heads = append(heads, tree)
	}
	sort.Slice(heads, func(i, j int) bool { return heads[i].N < heads[j].N })
	pairs := 0
	for i, old := range heads {
		for _, next := range heads[i+1:] {
			p, err := tlog.ProveTree(next.N, old.N, reader)
			must(err, "proof")
			must(tlog.CheckTree(p, next.N, next.Hash, old.N, old.Hash), fmt.Sprintf("from %d to %d", old.N, next.N))
			need(tlog.CheckTree(p, next.N, next.Hash, old.N, flippedHash(old.Hash, pairs%256)) != nil, "another head of %d is a prefix too", old.N)
			pairs++
		}
	}
	need(len(heads) > 3, "only %d heads", len(heads))
	fmt.Printf("%d heads, %d pairs\n", len(heads), pairs)
}

// Entries as they stand in tile/entries: length, text.
func entries(f *folder, size int64) (out [][]byte) {
	for n := int64(0); n*256 < size; n++ {
		w := 256
		if size-n*256 < 256 {
			w = int(size - n*256)
		}
		name := strings.Replace(f.path(tlog.Tile{H: tileHeight, L: 0, N: n, W: w}), "tile/0/", "tile/entries/", 1)
		data, err := f.file(name)
		must(err, name)
		for len(data) >= 2 {
			k := int(binary.BigEndian.Uint16(data))
			need(2+k <= len(data), "%s is cut", name)
			out = append(out, data[2:2+k])
			data = data[2+k:]
		}
		need(len(data) == 0, "%s has %d bytes behind its entries", name, len(data))
	}
	return out
}

func doTiles(dir string, log note.Verifier) {
	tree := checkpoint(dir, log)
	f := &folder{dir: dir}
	reader := tlog.TileHashReader(tree, f)
	var stored []tlog.Hash
	have := tlog.HashReaderFunc(func(indexes []int64) (out []tlog.Hash, err error) {
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	all := entries(f, tree.N)
	need(int64(len(all)) == tree.N, "%d entries of %d", len(all), tree.N)
	for i, leaf := range all {
		hashes, err := tlog.StoredHashes(int64(i), leaf, have)
		must(err, "hashes")
		stored = append(stored, hashes...)
		got, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(i))})
		must(err, "tiles")
		need(got[0] == tlog.RecordHash(leaf), "entry %d has another hash in the tiles", i)
	}
	root, err := tlog.TreeHash(tree.N, have)
	must(err, "root")
	need(root == tree.Hash, "the entries give another root")
	var tiles []tlog.Tile
	for _, t := range tlog.NewTiles(tileHeight, 0, tree.N) { // which lists a partial tile in every width
		if int64(t.W) == 1<<tileHeight || int64(t.W) == tree.N>>(tileHeight*t.L)%(1<<tileHeight) {
			tiles = append(tiles, t)
		}
	}
	for _, t := range tiles {
		want, err := tlog.ReadTileData(t, have)
		must(err, "tile")
		got, err := f.file(f.path(t))
		must(err, "tile")
		need(bytes.Equal(want, got), "%s is another", f.path(t))
	}
	// A tile of the newest leaves with a bit changed is noticed on the way to the root.
	last := tiles[0]
	for _, t := range tiles {
		if t.L == 0 && t.N >= last.N {
			last = t
		}
	}
	_, err = tlog.TileHashReader(tree, &folder{dir: dir, spoil: f.path(last)}).ReadHashes([]int64{tlog.StoredHashIndex(0, tree.N-1)})
	need(err != nil, "a spoiled %s was accepted", f.path(last))
	fmt.Printf("%d entries, %d tiles\n", len(all), len(tiles))
}

func main() {
	args := append(os.Args[1:], "", "", "", "")
	switch args[0] {
	case "vkey":
		fmt.Println(verifier(args[1]).Name())
	case "checkpoint":
		doCheckpoint(args[1], verifier(args[2]), os.Args[4:])
	case "inclusion":
		doInclusion(args[1], verifier(args[2]), args[3])
	case "consistency":
		doConsistency(args[1], verifier(args[2]), args[3])
	case "tiles":
		doTiles(args[1], verifier(args[2]))
	case "witness":
		serveWitness(verifier(args[1]), args[2])
	default:
		need(false, "usage: see the head of log.go")
	}
}
