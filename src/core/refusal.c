/* SPDX-License-Identifier: Apache-2.0 */
/* What a person is told about a bundle that is refused whole; the diag beside it has the value. */
#include "core/checks.h"

/* clang-format off */
static const struct refusal rows[] = {
    {"too_large", "larger than an envelope or a payload may be", "از اندازهٔ مجاز بزرگ‌تر است",
     "look at what the terminal wrote; no branch needs so much", "خروجی پایانه را بررسی کنید؛ هیچ شعبه‌ای به این اندازه نیاز ندارد"},
    {"S01", "the envelope or the payload is malformed", "بسته یا پوشش آن درست ساخته نشده است",
     "export it again from the terminal; if it stays so, report the terminal's software", "بسته را دوباره از پایانه بگیرید؛ اگر تکرار شد نرم‌افزار پایانه را گزارش کنید"},
    {"S06", "a value is missing or out of range", "مقداری نیامده یا بیرون از محدوده است",
     "correct the value on the terminal and sign again", "مقدار را روی پایانه اصلاح و دوباره امضا کنید"},
    {"S04", "not the revision that can stand here, or not signed as a revision must be", "این بازبینی در اینجا پذیرفتنی نیست یا امضاهای لازم را ندارد",
     "look at the branch's revisions; have a correction signed by the officers of policy revise", "بازبینی‌های شعبه را ببینید؛ اصلاحیه را به امضای مسئولان برسانید"},
    {"A02", "no registered terminal's key verifies the signature", "کلید هیچ پایانهٔ ثبت‌شده‌ای امضا را تأیید نمی‌کند",
     "find out which terminal signed it; it may be a copy that was changed", "پایانهٔ امضاکننده را پیدا کنید؛ شاید نسخه‌ای دست‌کاری‌شده باشد"},
    {"A03", "sender, terminal, key and branch do not belong together", "فرستنده، پایانه، کلید و شعبه با هم نمی‌خوانند",
     "compare terminal and branch with the registry", "پایانه و شعبه را با فهرست ثبت مقایسه کنید"},
    {"A05", "of another phase: rehearsal or official", "از مرحلهٔ دیگری است: آزمایشی یا رسمی",
     "do not send it here; load the right definition on the terminal", "به اینجا نفرستید؛ تعریف درست را روی پایانه بار کنید"},
    {"A07", "of another election, or of a branch that it does not have", "از انتخابات دیگری است یا شعبه‌اش شناخته نیست",
     "do not send it here; look at the definition on the terminal", "به اینجا نفرستید؛ تعریف روی پایانه را بررسی کنید"},
};
/* clang-format on */

const struct refusal *
refusal_at(unsigned i)
{
    return i < TLY_N(rows) ? &rows[i] : NULL;
}

const struct refusal *
refusal_find(const char *code)
{
    for (unsigned i = 0; i < TLY_N(rows); i++) {
        if (strcmp(rows[i].code, code) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}
