// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const algCosignature = 4

// A witness's key, for note.Open: C2SP tlog-cosignature, which the library leaves to its callers.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }
func (c cosigner) Verify(msg, sig []byte) bool {
	return len(sig) == 8+ed25519.SignatureSize &&
		ed25519.Verify(c.key, cosigned(binary.BigEndian.Uint64(sig), msg), sig[8:])
}

func cosigned(at uint64, msg []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", at)), msg...)
}

func cosignerHash(name string, key ed25519.PublicKey) uint32 {
	sum := sha256.Sum256(append([]byte(name+"\n\x04"), key...))
	return binary.BigEndian.Uint32(sum[:])
}

func newCosigner(vkey string) cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	need(len(parts) == 3, "%s is no vkey", vkey)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	must(err, vkey)
	need(len(key) == 1+ed25519.PublicKeySize && key[0] == algCosignature, "%s is no witness's key", vkey)
	hash, err := strconv.ParseUint(parts[1], 16, 32)
	must(err, vkey)
	need(uint32(hash) == cosignerHash(parts[0], key[1:]), "%s: another key's hash", vkey)
	return cosigner{parts[0], uint32(hash), key[1:]}
}

// ---- POST /add-checkpoint (C2SP tlog-witness), in memory ----

type witness struct {
	lock   sync.Mutex
	log    note.Verifier
	own    cosigner
	secret ed25519.PrivateKey
	known  tlog.Tree
}

type refusal struct {
	status int
	text   string
}

// The request's old size, proof, and note.
func parseRequest(body string) (old int64, proof tlog.TreeProof, signed string, err error) {
	i := strings.Index(body, "\n\n")
	if i < 0 || !strings.HasPrefix(body, "old ") {
		return 0, nil, "", errors.New("not a request")
	}
	lines := strings.Split(body[:i], "\n")
	if old, err = strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64); err != nil {
		return 0, nil, "", err
	}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return 0, nil, "", err
		}
		proof = append(proof, h)
	}
	return old, proof, body[i+2:], nil
}

func (w *witness) add(body string) (string, *refusal) {
	old, proof, signed, err := parseRequest(body)
	if err != nil {
		return "", &refusal{400, err.Error()}
	}
	n, err := note.Open([]byte(signed), note.VerifierList(w.log))
	if err != nil {
		return "", &refusal{403, err.Error()}
	}
	_, tree := head(n.Text)
	if old > tree.N {
		return "", &refusal{400, "old is over the size"}
	}
	if old != w.known.N {
		return "", &refusal{409, fmt.Sprintf("%d\n", w.known.N)}
	}
	if old > 0 {
		if old == tree.N && tree.Hash != w.known.Hash {
			return "", &refusal{409, fmt.Sprintf("%d\n", w.known.N)}
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old, w.known.Hash); old < tree.N && err != nil {
			return "", &refusal{422, err.Error()}
		}
	}
	fmt.Printf("from %d to %d, %d hashes\n", old, tree.N, len(proof))
	w.known = tree
	at := uint64(time.Now().Unix())
	field := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, w.own.hash), at)
	field = append(field, ed25519.Sign(w.secret, cosigned(at, []byte(n.Text)))...)
	return fmt.Sprintf("\u2014 %s %s\n", w.own.name, base64.StdEncoding.EncodeToString(field)), nil
}

func (w *witness) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	body, err := io.ReadAll(io.LimitReader(in.Body, 1<<16))
	if err != nil || in.Method != "POST" || in.URL.Path != "/add-checkpoint" {
		http.Error(out, "POST /add-checkpoint", 404)
		return
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	line, no := w.add(string(body))
	if no != nil {
		if no.status == 409 {
			out.Header().Set("Content-Type", "text/x.tlog.size")
		}
		out.WriteHeader(no.status)
		line = no.text
	}
	_, _ = io.WriteString(out, line)
}

func serveWitness(log note.Verifier, name string) {
	public, secret, err := ed25519.GenerateKey(rand.Reader)
	must(err, "key")
	w := &witness{log: log, own: cosigner{name, cosignerHash(name, public), public}, secret: secret}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err, "port")
	fmt.Printf("ready %d %s+%08x+%s\n", listener.Addr().(*net.TCPAddr).Port, name, w.own.hash,
		base64.StdEncoding.EncodeToString(append([]byte{algCosignature}, public...)))
	must(http.Serve(listener, w), "serve")
}
