// SPDX-License-Identifier: Apache-2.0
export const reportText = (report) => JSON.stringify(report, (_, v) => (typeof v === 'bigint' ? Number(v) : v), 1);
