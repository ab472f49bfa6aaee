// SPDX-License-Identifier: Apache-2.0
// Published results documents (kind `result`).

export async function checkResult(entry) {
    return entry;
}
