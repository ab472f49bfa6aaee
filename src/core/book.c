/* SPDX-License-Identifier: Apache-2.0 */
#include "core/book.h"

#include "base/check.h"
#include "core/receipt.h"

#define NONE          UINT32_MAX
#define CHUNK_BITS    9
#define CHUNK_N       (1U << CHUNK_BITS)
#define TEXT_BYTES    ((size_t)64 << 10) /* one block of held lines; longer than any leaf */
#define CELLS_FIRST   1024U
#define FOUND_NOWHERE UINT64_MAX

/* Objects of one size in chunks, so that none ever moves. */
struct chunks {
    size_t    size;
    uint8_t **dir;
    size_t    dir_n, dir_cap;
};

struct slot_of_entry {
    struct book_entry entry;
    uint32_t older;  /* the branch's bundle, or the scope's result, before this one, or NONE */
    uint32_t before; /* the branch's entry of any kind before this one, or NONE */
};

/* Held lines of many entries; blocks stay in their list for ever and are filled again after a
 * truncation. */
struct text_block {
    struct text_block *before, *after;
    size_t             used;
    uint8_t            data[TEXT_BYTES];
};

struct branch_row {
    uint32_t last; /* entry of any kind */
    uint32_t newest;
    uint32_t conflicts;
};

struct book {
    const struct election *election;
    const struct registry *registry;
    struct tly_arena      *arena;
    uint64_t               size;
    struct chunks          entries;
    struct chunks          heads;
    size_t                 heads_n;
    struct text_block     *text;
    uint32_t              *cells; /* payload index: position + 1; 0: empty */
    uint64_t               cells_n;
    uint64_t               indexed; /* cells in use */
    struct branch_row     *branches;
    uint32_t              *results; /* areas_n: the newest of each scope, or NONE */
    struct merkle          tree;
};

static void *
chunks_at(const struct chunks *chunks, size_t i)
{
    TLY_CHECK(i >> CHUNK_BITS < chunks->dir_n);
    return chunks->dir[i >> CHUNK_BITS] + (i & (CHUNK_N - 1)) * chunks->size;
}

/* Makes room for object i, the next one; false: no memory. */
static bool
chunks_reserve(struct chunks *chunks, size_t i, struct tly_arena *arena)
{
    const size_t at = i >> CHUNK_BITS;
    if (at < chunks->dir_n) {
        return true;
    }
    if (at == chunks->dir_cap) {
        const size_t cap = chunks->dir_cap == 0 ? 16 : chunks->dir_cap * 2;
        uint8_t    **dir = TLY_NEW(arena, uint8_t *, cap);
        if (dir == NULL) {
            return false;
        }
        if (chunks->dir_n > 0) {
            memcpy(dir, chunks->dir, chunks->dir_n * sizeof *dir);
        }
        chunks->dir     = dir;
        chunks->dir_cap = cap;
    }
    uint8_t *chunk = tly_arena_alloc(arena, CHUNK_N, chunks->size);
    if (chunk == NULL) {
        return false;
    }
    chunks->dir[chunks->dir_n++] = chunk;
    return true;
}

enum tly_err
book_new(const struct election *election, const struct registry *registry, struct tly_arena *arena,
         struct book **out)
{
    struct book       *book     = TLY_NEW(arena, struct book, 1);
    struct branch_row *branches = TLY_NEW(arena, struct branch_row, election->branches_n);
    uint32_t          *cells    = TLY_NEW(arena, uint32_t, CELLS_FIRST);
    uint32_t          *results  = TLY_NEW(arena, uint32_t, election->areas_n);
    if (book == NULL || results == NULL || branches == NULL || cells == NULL ||
        !merkle_init(&book->tree, arena)) {
        return TLY_ENOMEM;
    }
    for (uint32_t i = 0; i < election->branches_n; i++) {
        branches[i].newest = NONE;
        branches[i].last   = NONE;
    }
    for (uint32_t i = 0; i < election->areas_n; i++) {
        results[i] = NONE;
    }
    book->results      = results;
    book->election     = election;
    book->registry     = registry;
    book->arena        = arena;
    book->entries.size = sizeof(struct slot_of_entry);
    book->heads.size   = sizeof(struct book_head);
    book->cells        = cells;
    book->cells_n      = CELLS_FIRST;
    book->branches     = branches;
    *out               = book;
    return TLY_OK;
}

const struct registry *
book_registry(const struct book *book)
{
    return book->registry;
}

void
book_set_registry(struct book *book, const struct registry *registry)
{
    TLY_CHECK(registry_rows_n(registry) >= registry_rows_n(book->registry));
    book->registry = registry;
}

uint64_t
book_size(const struct book *book)
{
    return book->size;
}

static struct slot_of_entry *
slot_at(const struct book *book, uint64_t position)
{
    TLY_CHECK(position < book->size);
    return chunks_at(&book->entries, position);
}

const struct book_entry *
book_entry(const struct book *book, uint64_t position)
{
    return &slot_at(book, position)->entry;
}

bool
book_has(const struct book *book, uint64_t position, const struct tly_hash *payload,
         const struct tly_hash *envelope)
{
    const struct book_entry *entry = book_entry(book, position);
    return tly_hash_eq(&entry->payload, payload) && tly_hash_eq(&entry->envelope, envelope);
}

const struct merkle *
book_tree(const struct book *book)
{
    return &book->tree;
}

/* ---- the payload index: linear probing; entries leave in the reverse order of their coming, so
 * that clearing a cell never breaks another's chain ---- */

static uint64_t
hash_start(const struct tly_hash *hash, uint64_t cells_n)
{
    uint64_t start;
    memcpy(&start, hash->b, sizeof start);
    return start & (cells_n - 1);
}

static bool
is_indexed(const struct book_entry *entry)
{
    return entry->kind != LEAF_GENESIS;
}

/* The cell that holds the payload, or the empty one where it would go. */
static uint32_t *
cell_of(const struct book *book, const struct tly_hash *payload)
{
    uint64_t i = hash_start(payload, book->cells_n);
    while (book->cells[i] != 0 &&
           !tly_hash_eq(&book_entry(book, book->cells[i] - 1)->payload, payload)) {
        i = (i + 1) & (book->cells_n - 1);
    }
    return &book->cells[i];
}

/* Keeps the table at most half full after one more; false: no memory. */
static bool
index_reserve(struct book *book)
{
    if ((book->indexed + 1) * 2 <= book->cells_n) {
        return true;
    }
    uint32_t *cells = TLY_NEW(book->arena, uint32_t, book->cells_n * 2);
    if (cells == NULL) {
        return false;
    }
    book->cells = cells;
    book->cells_n *= 2;
    for (uint64_t i = 0; i < book->size; i++) { /* in order: see above */
        const struct book_entry *entry = book_entry(book, i);
        if (is_indexed(entry)) {
            *cell_of(book, &entry->payload) = (uint32_t)i + 1;
        }
    }
    return true;
}

uint64_t
book_find_payload(const struct book *book, const struct tly_hash *payload)
{
    const uint32_t cell = *cell_of(book, payload);
    return cell == 0 ? FOUND_NOWHERE : (uint64_t)cell - 1;
}

/* ---- held lines ---- */

/* Room for len bytes in the current block, or in the next; NULL: no memory. */
static struct text_block *
text_reserve(struct book *book, size_t len)
{
    TLY_CHECK(len <= TEXT_BYTES);
    struct text_block *block = book->text;
    if (block != NULL && len <= TEXT_BYTES - block->used) {
        return block;
    }
    if (block != NULL && block->after != NULL) {
        block->after->used = 0;
        return block->after;
    }
    struct text_block *fresh = TLY_NEW(book->arena, struct text_block, 1);
    if (fresh != NULL) {
        fresh->before = block;
        if (block != NULL) {
            block->after = fresh;
        }
    }
    return fresh;
}

/* Takes back the lines from this one on. */
static void
text_truncate(struct book *book, const uint8_t *from)
{
    struct text_block *block = book->text;
    while (from < block->data || from >= block->data + TEXT_BYTES) {
        block = block->before;
        TLY_CHECK(block != NULL);
    }
    block->used = (size_t)(from - block->data);
    book->text  = block;
}

/* ---- leaves ---- */

static struct leaf
leaf_of(const struct book *book, const struct book_entry *entry)
{
    struct leaf leaf = {
        .kind = entry->kind, .election = book->election->code, .accepted_ms = entry->accepted_ms};
    if (entry->kind == LEAF_GENESIS) {
        leaf.definition = book->election->definition;
        leaf.registry   = book->registry->hash;
        return leaf;
    }
    leaf.payload      = entry->payload;
    leaf.envelope     = entry->envelope;
    leaf.payload_len  = entry->payload_len;
    leaf.envelope_len = entry->envelope_len;
    leaf.held         = entry->held;
    if (leaf_is_decision(entry->kind)) {
        return leaf;
    }
    const struct terminal *terminal = registry_row(book->registry, entry->terminal);
    leaf.branch                     = book->election->branches[entry->branch.v].code;
    leaf.terminal                   = terminal->code;
    leaf.revision                   = entry->revision;
    leaf.has_prev                   = entry->has_prev;
    leaf.prev                       = entry->prev;
    leaf.key                        = terminal->keyid;
    leaf.first_envelope             = entry->first_envelope;
    return leaf;
}

size_t
book_leaf(const struct book *book, uint64_t position, char out[LEAF_SIZE])
{
    const struct leaf leaf = leaf_of(book, book_entry(book, position));
    return leaf_write(&leaf, out);
}

static void
index_add(struct book *book, uint64_t position)
{
    struct slot_of_entry *slot = slot_at(book, position);
    if (!is_indexed(&slot->entry)) {
        return;
    }
    uint32_t *cell = cell_of(book, &slot->entry.payload);
    TLY_CHECK(*cell == 0); /* the sequencer never logs a payload twice */
    *cell = (uint32_t)position + 1;
    book->indexed++;
    if (slot->entry.kind == LEAF_BUNDLE) {
        struct branch_row *branch = &book->branches[slot->entry.branch.v];
        slot->older               = branch->newest;
        branch->newest            = (uint32_t)position;
    }
    if (slot->entry.kind == LEAF_CONFLICT) {
        book->branches[slot->entry.branch.v].conflicts++;
    }
    if (slot->entry.kind == LEAF_RESULT) {
        slot->older                        = book->results[slot->entry.scope.v];
        book->results[slot->entry.scope.v] = (uint32_t)position;
    }
}

/* Whether a branch's timeline has this entry. */
static bool
is_of_branch(const struct book_entry *entry)
{
    return entry->kind != LEAF_GENESIS && entry->branch.v != IX_NONE;
}

enum tly_err
book_append(struct book *book, const struct book_entry *entry)
{
    char              text[LEAF_SIZE];
    const struct leaf leaf     = leaf_of(book, entry);
    const size_t      text_len = leaf_write(&leaf, text);
    if (text_len == 0) {
        return TLY_ETOOBIG;
    }
    struct text_block *block = entry->held.len == 0 ? NULL : text_reserve(book, entry->held.len);
    if (book->size == BOOK_ENTRIES_MAX || (block == NULL && entry->held.len > 0) ||
        !chunks_reserve(&book->entries, book->size, book->arena) || !index_reserve(book)) {
        return TLY_ENOMEM;
    }
    const struct tly_hash hash = merkle_leaf((struct tly_bytes){(uint8_t *)text, text_len});
    if (!merkle_append(&book->tree, &hash)) {
        return TLY_ENOMEM;
    }
    struct slot_of_entry *slot = chunks_at(&book->entries, book->size);
    *slot            = (struct slot_of_entry){.entry = *entry, .older = NONE, .before = NONE};
    slot->entry.held = (struct tly_bytes){NULL, 0};
    if (block != NULL) {
        uint8_t *held = block->data + block->used;
        memcpy(held, entry->held.data, entry->held.len);
        block->used += entry->held.len;
        book->text       = block;
        slot->entry.held = (struct tly_bytes){held, entry->held.len};
    }
    if (is_of_branch(entry)) {
        struct branch_row *branch = &book->branches[entry->branch.v];
        slot->before              = branch->last;
        branch->last              = (uint32_t)book->size;
    }
    book->size++;
    index_add(book, book->size - 1);
    return TLY_OK;
}

void
book_truncate(struct book *book, uint64_t size)
{
    const struct book_head *head = book_newest_head(book);
    TLY_CHECK(size <= book->size);
    TLY_CHECK(head == NULL || head->size <= size);
    while (book->size > size) {
        struct slot_of_entry *slot = slot_at(book, book->size - 1);
        if (slot->entry.held.len > 0) {
            text_truncate(book, slot->entry.held.data);
        }
        if (is_of_branch(&slot->entry)) {
            book->branches[slot->entry.branch.v].last = slot->before;
        }
        if (is_indexed(&slot->entry)) {
            *cell_of(book, &slot->entry.payload) = 0;
            book->indexed--;
            if (slot->entry.kind == LEAF_BUNDLE) {
                struct branch_row *branch = &book->branches[slot->entry.branch.v];
                branch->newest            = slot->older;
            } else if (slot->entry.kind == LEAF_CONFLICT) {
                struct branch_row *branch = &book->branches[slot->entry.branch.v];
                branch->conflicts--;
            } else if (slot->entry.kind == LEAF_RESULT) {
                book->results[slot->entry.scope.v] = slot->older;
            }
        }
        book->size--;
    }
    merkle_truncate(&book->tree, size);
}

/* ---- heads ---- */

enum tly_err
book_add_head(struct book *book, const struct book_head *head)
{
    const struct book_head *newest = book_newest_head(book);
    TLY_CHECK(head->size <= book->size);
    TLY_CHECK(newest == NULL || newest->size < head->size);
    if (!chunks_reserve(&book->heads, book->heads_n, book->arena)) {
        return TLY_ENOMEM;
    }
    *(struct book_head *)chunks_at(&book->heads, book->heads_n) = *head;
    book->heads_n++;
    return TLY_OK;
}

size_t
book_heads_n(const struct book *book)
{
    return book->heads_n;
}

const struct book_head *
book_head_at(const struct book *book, size_t i)
{
    TLY_CHECK(i < book->heads_n);
    return chunks_at(&book->heads, i);
}

const struct book_head *
book_newest_head(const struct book *book)
{
    return book->heads_n == 0 ? NULL : chunks_at(&book->heads, book->heads_n - 1);
}

const struct book_head *
book_head_of(const struct book *book, uint64_t position)
{
    size_t low = 0, high = book->heads_n; /* the first with size > position lies in [low, high] */
    while (low < high) {
        const size_t            middle = low + (high - low) / 2;
        const struct book_head *head   = chunks_at(&book->heads, middle);
        if (head->size > position) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low == book->heads_n ? NULL : chunks_at(&book->heads, low);
}

/* ---- branches ---- */

uint64_t
book_newest(const struct book *book, struct branch_ix branch)
{
    TLY_CHECK(branch.v < book->election->branches_n);
    const uint32_t newest = book->branches[branch.v].newest;
    return newest == NONE ? FOUND_NOWHERE : newest;
}

uint64_t
book_revision(const struct book *book, struct branch_ix branch, uint32_t revision)
{
    TLY_CHECK(branch.v < book->election->branches_n);
    uint32_t at = book->branches[branch.v].newest;
    while (at != NONE && slot_at(book, at)->entry.revision != revision) {
        at = slot_at(book, at)->older;
    }
    return at == NONE ? FOUND_NOWHERE : at;
}

uint64_t
book_last(const struct book *book, struct branch_ix branch)
{
    TLY_CHECK(branch.v < book->election->branches_n);
    const uint32_t last = book->branches[branch.v].last;
    return last == NONE ? FOUND_NOWHERE : last;
}

uint64_t
book_before(const struct book *book, uint64_t position)
{
    const uint32_t before = slot_at(book, position)->before;
    return before == NONE ? FOUND_NOWHERE : before;
}

uint64_t
book_result(const struct book *book, struct area_ix scope, uint64_t below)
{
    TLY_CHECK(scope.v < book->election->areas_n);
    uint32_t at = book->results[scope.v];
    while (at != NONE && at >= below) {
        at = slot_at(book, at)->older;
    }
    return at == NONE ? FOUND_NOWHERE : at;
}

uint32_t
book_conflicts(const struct book *book, struct branch_ix branch)
{
    TLY_CHECK(branch.v < book->election->branches_n);
    return book->branches[branch.v].conflicts;
}

enum tly_err
book_receipt(const struct book *book, uint64_t position, const struct book_head *head,
             const struct note_vkey *vkey, struct tly_arena *arena, struct tly_bytes *out)
{
    char                leaf[LEAF_SIZE], note[NOTE_LEN_MAX];
    struct merkle_proof proof;
    TLY_CHECK(position < head->size);
    TLY_CHECK(head->size <= book->size);
    const struct note_head at  = {.size = head->size, .root = merkle_root(&book->tree, head->size)};
    const size_t           len = book_leaf(book, position, leaf);
    const size_t           note_len = note_write(&at, vkey, &head->sig, note);
    merkle_inclusion(&book->tree, position, head->size, &proof);
    return receipt_write((struct tly_bytes){(uint8_t *)leaf, len}, position, &proof,
                         (struct tly_bytes){(uint8_t *)note, note_len}, arena, out);
}
