/* SPDX-License-Identifier: Apache-2.0 */
/* Names for made-up elections, in Persian and English. */
#include "base/attr.h"
#include "make_int.h"

/* Residents in thousands, estimates of 2025; only the proportions matter. */
const struct make_province make_provinces[MAKE_PROVINCES_N] = {
    {{"البرز", "Alborz"}, 3028},
    {{"اردبیل", "Ardabil"}, 1299},
    {{"بوشهر", "Bushehr"}, 1277},
    {{"چهارمحال و بختیاری", "Chaharmahal and Bakhtiari"}, 997},
    {{"آذربایجان شرقی", "East Azerbaijan"}, 4092},
    {{"فارس", "Fars"}, 5136},
    {{"گیلان", "Gilan"}, 2569},
    {{"گلستان", "Golestan"}, 1893},
    {{"همدان", "Hamadan"}, 1769},
    {{"هرمزگان", "Hormozgan"}, 2018},
    {{"ایلام", "Ilam"}, 597},
    {{"اصفهان", "Isfahan"}, 5429},
    {{"کرمان", "Kerman"}, 3413},
    {{"کرمانشاه", "Kermanshah"}, 1999},
    {{"خراسان شمالی", "North Khorasan"}, 875},
    {{"خراسان رضوی", "Razavi Khorasan"}, 7109},
    {{"خراسان جنوبی", "South Khorasan"}, 845},
    {{"خوزستان", "Khuzestan"}, 5115},
    {{"کهگیلویه و بویراحمد", "Kohgiluyeh and Boyer-Ahmad"}, 759},
    {{"کردستان", "Kurdistan"}, 1689},
    {{"لرستان", "Lorestan"}, 1792},
    {{"مرکزی", "Markazi"}, 1472},
    {{"مازندران", "Mazandaran"}, 3415},
    {{"قزوین", "Qazvin"}, 1346},
    {{"قم", "Qom"}, 1454},
    {{"سمنان", "Semnan"}, 787},
    {{"سیستان و بلوچستان", "Sistan and Baluchestan"}, 3280},
    {{"تهران", "Tehran"}, 14425},
    {{"آذربایجان غربی", "West Azerbaijan"}, 3529},
    {{"یزد", "Yazd"}, 1314},
    {{"زنجان", "Zanjan"}, 1119},
};

/* With zero-width non-joiners where they are written: names must come through byte for byte. */
static const struct make_name villages[] = {
    {"علی‌آباد", "Aliabad"},
    {"حسین‌آباد", "Hosseinabad"},
    {"ده‌نو", "Deh-e Now"},
    {"محمدآباد", "Mohammadabad"},
    {"قلعه‌نو", "Qaleh Now"},
    {"خیرآباد", "Kheyrabad"},
    {"چشمه‌سفید", "Cheshmeh Sefid"},
    {"اسلام‌آباد", "Eslamabad"},
    {"کهریز", "Kahriz"},
    {"ده‌بالا", "Deh Bala"},
    {"نصرآباد", "Nasrabad"},
    {"باغ‌ملک", "Bagh Malek"},
    {"سرخ‌ده", "Sorkhdeh"},
    {"گل‌تپه", "Goltappeh"},
    {"رحیم‌آباد", "Rahimabad"},
    {"شاه‌میرزا", "Shah Mirza"},
    {"کلاته‌سادات", "Kalateh Sadat"},
    {"بیدستان", "Bidestan"},
};

static const struct make_name cities[] = {
    {"نوشهر", "Nowshahr"}, {"بهارستان", "Baharestan"}, {"سبزوار", "Sabzevar"},
    {"گلدشت", "Goldasht"}, {"مهرشهر", "Mehrshahr"},    {"فرخ‌شهر", "Farrokhshahr"},
    {"شهرضا", "Shahreza"}, {"ایوان", "Eyvan"},         {"خرم‌دشت", "Khorramdasht"},
    {"دزآب", "Dezab"},     {"سروآباد", "Sarvabad"},    {"تازه‌شهر", "Tazehshahr"},
};

static const struct make_name lists[] = {
    {"امید فردا", "Hope of Tomorrow"},
    {"شهر برای همه", "City for All"},
    {"خدمت و پیشرفت", "Service and Progress"},
    {"تهران سبز", "Green Tehran"},
    {"عدالت شهری", "Urban Justice"},
    {"هم‌پیمانان", "Allies"},
    {"نوسازی", "Renewal"},
    {"مردم‌محور", "People First"},
    {"جوانان شهر", "Youth of the City"},
    {"آبادانی", "Prosperity"},
    {"اعتدال", "Moderation"},
    {"همبستگی", "Solidarity"},
};

static const struct make_name first_names[] = {
    {"محمد", "Mohammad"},
    {"علی", "Ali"},
    {"زهرا", "Zahra"},
    {"فاطمه", "Fatemeh"},
    {"حسین", "Hossein"},
    {"مریم", "Maryam"},
    {"رضا", "Reza"},
    {"سیده‌لیلا", "Seyedeh Leyla"},
    {"مهدی", "Mehdi"},
    {"نرگس", "Narges"},
    {"امیرحسین", "Amirhossein"},
    {"پروین", "Parvin"},
    {"یوسف", "Yousef"},
    {"شیرین", "Shirin"},
    {"کاوه", "Kaveh"},
    {"محمدعلی", "Mohammadali"},
};

static const struct make_name last_names[] = {
    {"حسین‌زاده", "Hosseinzadeh"},
    {"محمدی", "Mohammadi"},
    {"رضایی", "Rezaei"},
    {"کریمی", "Karimi"},
    {"موسوی", "Mousavi"},
    {"اکبری", "Akbari"},
    {"قاسم‌پور", "Ghasempour"},
    {"نوری", "Nouri"},
    {"صادقی", "Sadeghi"},
    {"باقرزاده", "Bagherzadeh"},
    {"یزدانی", "Yazdani"},
    {"شریفی", "Sharifi"},
    {"ملک‌پور", "Malekpour"},
    {"طاهری", "Taheri"},
    {"بهرامی", "Bahrami"},
    {"کیانی", "Kiani"},
    {"میرزایی", "Mirzaei"},
    {"ابراهیمی", "Ebrahimi"},
    {"گودرزی", "Goudarzi"},
    {"ناصری", "Naseri"},
};

struct make_name
make_village_name(uint32_t i)
{
    return villages[i % TLY_N(villages)];
}

struct make_name
make_city_name(uint32_t i)
{
    return cities[i % TLY_N(cities)];
}

struct make_name
make_list_name(uint32_t i)
{
    return lists[i % TLY_N(lists)];
}

void
make_person_name(struct dice *dice, char fa[128], char en[128])
{
    const struct make_name *first = &first_names[dice_upto(dice, TLY_N(first_names) - 1)];
    const struct make_name *last  = &last_names[dice_upto(dice, TLY_N(last_names) - 1)];
    (void)snprintf(fa, 128, "%s %s", first->fa, last->fa);
    (void)snprintf(en, 128, "%s %s", first->en, last->en);
}
