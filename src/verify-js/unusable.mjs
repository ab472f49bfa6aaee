// SPDX-License-Identifier: Apache-2.0

/** Input that is no archive, or a bad option: nothing can be reported about it. */
export class Unusable extends Error {}
