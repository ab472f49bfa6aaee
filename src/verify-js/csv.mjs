// SPDX-License-Identifier: Apache-2.0
// CSV of the packages: RFC 4180 with lines that end in LF alone, UTF-8 without NUL.
import { textOf } from './bytes.mjs';

const FIELD = /"((?:[^"]|"")*)"|([^",\r\n]*)/y;

/** Rows (arrays of fields) below the header, which must be exactly these columns; null: a fault. */
export function readCsv(bytes, columns) {
    const text = textOf(bytes);
    if (text === null || text.includes('\0') || text === '') return null;
    const rows = [];
    let at = 0;
    while (at < text.length) {
        const row = [];
        for (;;) {
            FIELD.lastIndex = at;
            const found = FIELD.exec(text);
            row.push(found[1] === undefined ? found[2] : found[1].replaceAll('""', '"'));
            at = FIELD.lastIndex;
            if (text[at] !== ',') break;
            at++;
        }
        if (at < text.length && text[at] !== '\n') return null;
        at++;
        if (row.length !== columns.length) return null;
        rows.push(row);
    }
    const header = rows.shift();
    return header.every((name, i) => name === columns[i]) ? rows : null;
}
