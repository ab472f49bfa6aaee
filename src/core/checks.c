/* SPDX-License-Identifier: Apache-2.0 */
#include "core/checks.h"

#include "base/check.h"

#include "checks_int.h"

struct row {
    const char      *code, *text_en, *text_fa, *advice_en, *advice_fa;
    enum check_level level;
    uint64_t         hidden_by; /* findings of which this one is only a consequence */
};

#define B(check) CHECK_BIT(CHECK_##check)

/* clang-format off */
#define FA(check, text, advice, text_advice_en, hidden) \
    [CHECK_##check] = {.text_fa = (text), .advice_fa = (advice), .advice_en = (text_advice_en), .hidden_by = (hidden)}

static const struct row more[CHECKS_N] = {
    FA(A04, "کلید امضا در زمان ساخت بسته معتبر نبود", "اعتبار کلید پایانه و ساعت آن را بررسی کنید", "check the terminal's key and its clock", 0),
    FA(A06, "با تعریف دیگری از انتخابات ساخته شده است", "تعریف درست را روی پایانه بار کنید و نسخهٔ بازبینی‌شده بفرستید", "load the right definition on the terminal and send a revision", 0),
    FA(S02, "حوزه، فهرست یا نامزدی که از آنِ این شعبه نیست", "کد را با تعریف مقایسه کنید و نسخهٔ بازبینی‌شده بفرستید", "compare the code with the definition and send a revision", 0),
    FA(S03, "یکی از حوزه‌های این شعبه نیامده است", "حوزه را با عدد یا با دلیل برگزار نشدن بفرستید", "send the contest with numbers or with the reason why it was not held", B(S02)),
    FA(S05, "ترتیب زمان‌ها نادرست است یا پیش از پایان رأی‌گیری بسته شده است", "ساعت پایانه و صورت‌جلسه را بررسی کنید", "check the terminal's clock and the minutes", 0),
    FA(N02, "مأخوذه برابر با صحیح و سفید و باطل نیست", "شمارش برگه‌ها را تکرار کنید", "count the ballots again", 0),
    FA(N03, "رأی یک نفر از برگه‌هایی که نام دارند بیشتر است", "شمارش آن نامزد را تکرار کنید", "count this person's votes again", CHECKS_UNREAD),
    FA(N04, "رأی افراد از حد مجاز انتخاب بیشتر است", "شمارش رأی افراد را تکرار کنید", "count the votes for persons again", CHECKS_UNREAD | B(N03)),
    FA(N05, "برگه‌های فهرستی و نامی با برگه‌های صحیح جمع نمی‌شوند", "برگه‌های فهرستی و نامی را دوباره بشمارید", "count list ballots and mixed ballots again", CHECKS_UNREAD),
    FA(N07, "برگهٔ صحیح بدون رأی، یا رأی بدون برگهٔ صحیح", "برگه‌های صحیح و رأی‌ها را دوباره بشمارید", "count valid ballots and votes again", CHECKS_UNREAD | B(N03) | B(N04) | B(N05)),
    FA(N08, "برگه‌های صندوق از احراز هویت‌شدگان بیشتر است", "صورت‌جلسهٔ دستگاه احراز هویت را با صندوق مقایسه کنید", "compare the identity devices' record with the ballot box", 0),
    FA(N09, "بیش از گنجایش شعبه است", "کد شعبه و عددها را بررسی کنید", "check the branch and the numbers", 0),
    FA(N10, "برگه‌های صندوق از برگه‌های داده‌شده بیشتر است", "ته‌برگ‌ها را بشمارید", "count the stubs", 0),
    FA(N08M, "احراز هویت‌شدگانی که برگه‌ای در صندوق ندارند", "علت را در صورت‌جلسه بنویسید", "explain it in the minutes", 0),
    FA(P01, "برگه‌های سفید زیاد است", "سفیدها را دوباره ببینید", "look at the blank ballots again", 0),
    FA(P02, "برگه‌های باطل زیاد است", "باطل‌ها را دوباره ببینید", "look at the invalid ballots again", 0),
    FA(P03, "مأخوذه و احراز هویت‌شدگان تفاوت زیادی دارند", "علت را در صورت‌جلسه بنویسید", "explain it in the minutes", B(N08) | B(N08M)),
    FA(P04, "کسی رأی نداده یا هویت کسی احراز نشده است", "تأیید کنید که شعبه باز بوده است", "confirm that the branch was open", 0),
    FA(P05, "تقریباً همهٔ رأی‌ها برای یکی است", "رأی‌ها را دوباره ببینید", "look at the votes again", CHECKS_UNREAD | B(N03) | B(N04) | B(N05) | B(N07)),
    FA(P06, "رأی‌دهندگان زیادی دستی یا آفلاین احراز هویت شده‌اند", "علت را در صورت‌جلسه بنویسید", "explain it in the minutes", 0),
    FA(P07, "شمار احراز هویت‌شدگان حوزه‌های این شعبه یکسان نیست", "دستگاه‌های احراز هویت را مقایسه کنید", "compare the identity devices", 0),
    FA(P08, "شعبهٔ دیگری دقیقاً همین شمارش را دارد", "صورت‌جلسهٔ هر دو شعبه را مقایسه و علت را ثبت کنید", "compare the minutes of both branches and explain it", 0),
    FA(P09, "برگهٔ کم: فقط همراه ناحیه منتشر می‌شود", "کاری لازم نیست", "nothing to do", 0),
};
/* clang-format on */
#undef FA

#define ROW(check, lvl, text)                                                                      \
    [CHECK_##check] = {.code = #check, .text_en = (text), .level = CHECK_##lvl},
static const struct row rows[CHECKS_N] = {CHECKS_TABLE(ROW)};
#undef ROW

static enum check
valid(enum check check)
{
    TLY_CHECK((unsigned)check < CHECKS_N);
    return check;
}

const char *
check_code(enum check check)
{
    return check == CHECK_N08M ? "N08" : rows[valid(check)].code;
}

enum check_level
check_level(enum check check)
{
    return rows[valid(check)].level;
}

const char *
check_text_en(enum check check)
{
    return rows[valid(check)].text_en;
}

const char *
check_text_fa(enum check check)
{
    return more[valid(check)].text_fa;
}

const char *
check_advice_en(enum check check)
{
    return more[valid(check)].advice_en;
}

const char *
check_advice_fa(enum check check)
{
    return more[valid(check)].advice_fa;
}

uint64_t
checks_hidden_by(enum check check)
{
    return more[valid(check)].hidden_by;
}

bool
checks_withheld(const struct election *election, const struct checked *checked)
{
    const uint32_t few      = election->policy.publish_min_ballots;
    bool           withheld = false;
    for (uint32_t i = 0; few > 0 && i < checked->slots_n; i++) {
        const struct checked_slot *slot = &checked->slots[i];
        withheld                        = withheld || (slot->holds & CHECK_BIT(CHECK_S02)) != 0 ||
                   (slot->counts == NULL ? !slot->not_held : slot->counts->n[COUNT_CAST] < few);
    }
    return withheld;
}
