/* SPDX-License-Identifier: Apache-2.0 */
/* Every check of an archive (doc/verifying.md): what it is called, its family, what is wrong and what to
 * do, in English and in Persian. */
#pragma once

/*    name, family, code
 *        what is wrong, what to do
 *        the same in Persian */
/* clang-format off */
#define CHECK_ROWS(X)                                                                              \
    X(PACKAGE_FILES, AUTHENTICITY, "package.files",                                                \
      "a file of the package is missing, or does not belong to it",                                \
      "get the packages again from who signed them",                                               \
      "پرونده‌ای از بسته نیست، یا از آن بسته نیست", "بسته را دوباره از امضاکنندگان بگیرید")             \
    X(PACKAGE_SIGNATURE, AUTHENTICITY, "package.signature",                                        \
      "the root keys have not signed this package as its policy asks",                             \
      "compare the root keys with those on paper; without them nothing here is anybody's word",    \
      "کلیدهای ریشه این بسته را چنان که باید امضا نکرده‌اند", "کلیدهای ریشه را با نسخهٔ کاغذی بسنجید") \
    X(PACKAGE_HASH, AUTHENTICITY, "package.hash",                                                  \
      "the files are not those that were signed",                                                  \
      "get the packages again; whoever changed them changed the rules of the count",               \
      "پرونده‌ها همان‌ها نیستند که امضا شده‌اند", "بسته را دوباره بگیرید")                               \
    X(PACKAGE_CONTENT, AUTHENTICITY, "package.content",                                            \
      "the package breaks the rules of its format",                                                \
      "tallyctl definition check, or registry check, names each fault with its line",              \
      "بسته از قواعد قالب خود پیروی نمی‌کند", "با tallyctl definition check هر خطا را ببینید")        \
    X(LOG_KEY, AUTHENTICITY, "log.key",                                                            \
      "the archive names another log key than the one given",                                      \
      "compare the key on paper; an archive of another key is of another log",                     \
      "کلید دفتر در بایگانی جز آن است که داده شد", "کلید را با نسخهٔ کاغذی بسنجید")                   \
    X(LOG_ORIGIN, AUTHENTICITY, "log.origin",                                                      \
      "the checkpoint is of another log",                                                          \
      "get the archive of this election and phase",                                                \
      "سرِ دفتر از آنِ دفتر دیگری است", "بایگانی همین انتخابات را بگیرید")                             \
    X(ENVELOPE_SIGNATURE, AUTHENTICITY, "envelope.signature",                                      \
      "the terminal named by the entry has not signed these numbers",                              \
      "ask the branch for its minutes: these are not numbers that it signed",                      \
      "پایانه‌ای که ثبت نام می‌برد این اعداد را امضا نکرده است", "صورت‌جلسهٔ شعبه را بخواهید")          \
    X(ENVELOPE_TYPE, AUTHENTICITY, "envelope.type",                                                \
      "the envelope is of another type than its entry",                                            \
      "a signature for one purpose was used for another; ask who operates the log",                \
      "گونهٔ پاکت جز آنِ ثبت است", "از گردانندهٔ دفتر بپرسید")                                         \
    X(LEAF_KEY, AUTHENTICITY, "leaf.key",                                                          \
      "the terminal or its key was not entitled to speak for this branch",                         \
      "compare terminal and key with the signed registry",                                         \
      "پایانه یا کلید آن حق گزارش این شعبه را نداشت", "با فهرست امضاشدهٔ پایانه‌ها بسنجید")            \
    X(BUNDLE_COSIGNERS, AUTHENTICITY, "bundle.cosigners",                                          \
      "a correction without the officers' signatures that the policy asks for",                    \
      "numbers were replaced by somebody who may not do it alone; compare both minutes",           \
      "اصلاح بدون امضای مأمورانی که باید", "هر دو صورت‌جلسه را بسنجید")                               \
    X(DECISION_SIGNERS, AUTHENTICITY, "decision.signers",                                          \
      "a decision that too few of the responsible officers signed",                                \
      "it has no force; ask the commission and the supervision",                                   \
      "تصمیمی که کمتر از شمار لازم از مأموران مسئول امضا کرده‌اند", "از هیئت‌ها بپرسید")                \
    X(RESULT_SIGNERS, AUTHENTICITY, "result.signers",                                              \
      "a results document that too few of the responsible officers signed",                        \
      "it is nobody's result; ask the commission and the supervision",                             \
      "سند نتیجه‌ای که کمتر از شمار لازم امضا دارد", "از هیئت‌ها بپرسید")                              \
    X(POLICY_SYNTAX, INTEGRITY, "policy.syntax",                                                   \
      "the policy file is no policy of one log", "get it again",                                   \
      "پروندهٔ policy سیاست یک دفتر نیست", "دوباره بگیرید")                                          \
    X(CHECKPOINT_SYNTAX, INTEGRITY, "checkpoint.syntax",                                           \
      "the checkpoint file is no checkpoint", "get it again; nothing else can be checked",         \
      "پروندهٔ checkpoint سرِ دفتر نیست", "دوباره بگیرید")                                            \
    X(CHECKPOINT_SIGNATURE, INTEGRITY, "checkpoint.signature",                                     \
      "the log's key has not signed this checkpoint",                                              \
      "this head is nobody's promise; get the archive from another place",                         \
      "کلید دفتر این سر را امضا نکرده است", "بایگانی را از جای دیگری بگیرید")                          \
    X(CHECKPOINT_COSIGNATURE, INTEGRITY, "checkpoint.cosignature",                                 \
      "a witness's signature does not verify", "ask the witness for its own copy",                 \
      "امضای یک شاهد درست نیست", "از خود شاهد بپرسید")                                             \
    X(CHECKPOINT_QUORUM, INTEGRITY, "checkpoint.quorum",                                           \
      "fewer witnesses have signed than the policy asks for",                                      \
      "ask the witnesses which head they saw; a log without them may show two faces",              \
      "شاهدان کمتر از آن‌اند که سیاست می‌خواهد", "از شاهدان بپرسید کدام سر را دیده‌اند")               \
    X(FILE_MISSING, INTEGRITY, "file.missing",                                                     \
      "a file that the checkpoint promises is not there", "get the archive again, or this file",   \
      "پرونده‌ای که سرِ دفتر وعده داده نیست", "بایگانی یا همین پرونده را دوباره بگیرید")               \
    X(FILE_SIZE, INTEGRITY, "file.size",                                                           \
      "a file is larger than may be, or of a wrong length", "get this file again",                 \
      "اندازهٔ پرونده نادرست است", "این پرونده را دوباره بگیرید")                                     \
    X(FILE_SYNTAX, INTEGRITY, "file.syntax",                                                       \
      "a file of entries or envelopes is not made as it must be", "get this file again",           \
      "ساختار پروندهٔ ثبت‌ها یا پاکت‌ها نادرست است", "این پرونده را دوباره بگیرید")                     \
    X(TILE_HASH, INTEGRITY, "tile.hash",                                                           \
      "a hash in the tree's file is not that of the entries", "get this file again",               \
      "درهم‌سازی در پروندهٔ درخت از آنِ ثبت‌ها نیست", "این پرونده را دوباره بگیرید")                    \
    X(CHECKPOINT_ROOT, INTEGRITY, "checkpoint.root",                                               \
      "the entries do not lead to the signed root",                                                \
      "entries were changed behind the signature; compare with a witness's mirror",                \
      "ثبت‌ها به ریشهٔ امضاشده نمی‌رسند", "با آینهٔ یک شاهد بسنجید")                                    \
    X(LEAF_SYNTAX, INTEGRITY, "leaf.syntax", "the entry is no entry", "ask who operates the log",  \
      "این ثبت، ثبت نیست", "از گردانندهٔ دفتر بپرسید")                                              \
    X(ENVELOPE_MISSING, INTEGRITY, "envelope.missing",                                             \
      "the signed document of an entry is not published though it must be",                        \
      "ask for it: without it the entry cannot be checked",                                        \
      "سند امضاشدهٔ ثبت منتشر نشده است", "آن را بخواهید")                                            \
    X(ENVELOPE_UNEXPECTED, INTEGRITY, "envelope.unexpected",                                       \
      "an envelope stands where none belongs", "get the pack again",                               \
      "پاکتی هست که نباید باشد", "دوباره بگیرید")                                                  \
    X(ENVELOPE_HASH, INTEGRITY, "envelope.hash",                                                   \
      "the envelope is not the one that was logged", "get the pack again; else it was exchanged",  \
      "پاکت همان نیست که ثبت شد", "دوباره بگیرید؛ وگرنه عوض شده است")                               \
    X(ENVELOPE_SYNTAX, INTEGRITY, "envelope.syntax",                                               \
      "what was logged is no envelope", "ask who operates the log: it should have refused it",     \
      "آنچه ثبت شد پاکت نیست", "از گردانندهٔ دفتر بپرسید")                                          \
    X(PAYLOAD_HASH, INTEGRITY, "payload.hash",                                                     \
      "the numbers in the envelope are not those that were logged", "ask who operates the log",    \
      "محتوای پاکت همان نیست که ثبت شد", "از گردانندهٔ دفتر بپرسید")                                \
    X(PAYLOAD_SYNTAX, INTEGRITY, "payload.syntax",                                                 \
      "the signed document breaks the rules of its format",                                        \
      "ask who operates the log: it should have refused it",                                       \
      "سند امضاشده از قواعد قالب خود پیروی نمی‌کند", "از گردانندهٔ دفتر بپرسید")                      \
    X(PAYLOAD_LEAF, INTEGRITY, "payload.leaf",                                                     \
      "the entry says something else than the signed document",                                    \
      "believe the signed document; ask who operates the log",                                     \
      "ثبت چیزی جز سند امضاشده می‌گوید", "سند امضاشده معتبر است؛ از گردانندهٔ دفتر بپرسید")           \
    X(LEAF_HELD, INTEGRITY, "leaf.held",                                                           \
      "the entry holds other contests than the checks do",                                         \
      "numbers are counted, or kept back, against the rules; ask for this bundle",                 \
      "ثبت رقابت‌های دیگری را نگه داشته است", "این بسته را بررسی کنید")                             \
    X(LEAF_GENESIS, CONSISTENCY, "leaf.genesis",                                                   \
      "the log does not begin as a log begins", "ask who operates the log",                        \
      "دفتر چنان که باید آغاز نمی‌شود", "از گردانندهٔ دفتر بپرسید")                                  \
    X(GENESIS_PACKAGE, CONSISTENCY, "genesis.package",                                             \
      "the log was opened with other packages than those beside it",                               \
      "get the packages that the first entry names",                                               \
      "دفتر با بسته‌های دیگری گشوده شده است", "بسته‌هایی را که ثبت نخست نام می‌برد بگیرید")            \
    X(LEAF_ELECTION, CONSISTENCY, "leaf.election",                                                 \
      "an entry of another election", "ask who operates the log",                                  \
      "ثبتی از انتخابات دیگر", "از گردانندهٔ دفتر بپرسید")                                          \
    X(LEAF_TIME, CONSISTENCY, "leaf.time",                                                         \
      "accepted earlier than the entry before it", "ask who operates the log",                     \
      "زمان پذیرش پیش از ثبت قبلی است", "از گردانندهٔ دفتر بپرسید")                                 \
    X(LEAF_BRANCH, CONSISTENCY, "leaf.branch",                                                     \
      "a branch, contest or candidate that the definition does not have",                          \
      "compare with the signed definition",                                                        \
      "شعبه، رقابت یا نامزدی که در تعریف نیست", "با تعریف امضاشده بسنجید")                         \
    X(REVISION_TWICE, CONSISTENCY, "revision.twice",                                               \
      "a second bundle for one revision of a branch",                                              \
      "only the first can count; ask the branch which one it stands by",                           \
      "بستهٔ دوم برای یک نسخهٔ شعبه", "از شعبه بپرسید کدام درست است")                                \
    X(REVISION_GAP, CONSISTENCY, "revision.gap",                                                   \
      "a correction of something that is not in the log", "ask for the revision before",           \
      "اصلاح چیزی که در دفتر نیست", "نسخهٔ پیشین را بخواهید")                                       \
    X(REVISION_PREV, CONSISTENCY, "revision.prev",                                                 \
      "a correction of another bundle than the one before it", "ask the branch",                   \
      "اصلاح بسته‌ای جز بستهٔ پیشین", "از شعبه بپرسید")                                             \
    X(PAYLOAD_TWICE, CONSISTENCY, "payload.twice",                                                 \
      "the same signed numbers are logged twice", "only the first can count",                      \
      "همان اعداد امضاشده دو بار ثبت شده", "تنها نخستین به شمار می‌آید")                            \
    X(CONFLICT_FIRST, CONSISTENCY, "conflict.first",                                               \
      "a contradiction to something that is not in the log", "ask who operates the log",           \
      "تناقض با چیزی که در دفتر نیست", "از گردانندهٔ دفتر بپرسید")                                  \
    X(DECISION_STATE, CONSISTENCY, "decision.state",                                               \
      "a decision about something that was not so, or had changed since it was signed",            \
      "it has no force; the officers must decide on what is there",                                \
      "تصمیم دربارهٔ چیزی که چنان نبود یا پس از امضا دگرگون شد", "مأموران باید دوباره تصمیم بگیرند")  \
    X(STATE_CLOSED, CONSISTENCY, "state.closed",                                                   \
      "numbers were logged while the count was closed", "ask who operates the log",                \
      "اعداد هنگامی ثبت شده که شمارش بسته بود", "از گردانندهٔ دفتر بپرسید")                         \
    X(RESULT_SERIAL, CONSISTENCY, "result.serial",                                                 \
      "a results document that does not follow on the one before it",                              \
      "ask for the one before",                                                                    \
      "سند نتیجه‌ای که دنبالهٔ سند پیشین نیست", "سند پیشین را بخواهید")                              \
    X(SINCE_PREFIX, CONSISTENCY, "since.prefix",                                                   \
      "the log is not the continuation of an older head of it",                                    \
      "the log was rewritten: keep both heads, they prove it",                                     \
      "دفتر دنبالهٔ سرِ پیشین خود نیست", "هر دو سر را نگه دارید: سند بازنویسی دفترند")               \
    X(SINCE_SYNTAX, CONSISTENCY, "since.syntax",                                                   \
      "the older head cannot be read", "give a checkpoint or a receipt",                           \
      "سرِ پیشین خوانده نمی‌شود", "سرِ دفتر یا رسید بدهید")                                          \
    X(SINCE_SIGNATURE, CONSISTENCY, "since.signature",                                             \
      "the older head is not signed by this log", "it is of another log, or forged",               \
      "سرِ پیشین امضای این دفتر را ندارد", "از دفتر دیگری است یا ساختگی")                            \
    X(RECEIPT_SYNTAX, COMPLETENESS, "receipt.syntax",                                              \
      "a receipt that cannot be read", "get it again from who received it",                        \
      "رسید خوانده نمی‌شود", "دوباره بگیرید")                                                      \
    X(RECEIPT_SIGNATURE, COMPLETENESS, "receipt.signature",                                        \
      "a receipt that this log has not signed", "it is of another log, or forged",                 \
      "رسید امضای این دفتر را ندارد", "از دفتر دیگری است یا ساختگی")                                \
    X(RECEIPT_PROOF, COMPLETENESS, "receipt.proof",                                                \
      "the receipt does not prove its own entry", "it was damaged or forged",                      \
      "رسید ثبت خود را ثابت نمی‌کند", "آسیب دیده یا ساختگی است")                                    \
    X(RECEIPT_PREFIX, COMPLETENESS, "receipt.prefix",                                              \
      "the log is not the continuation of the one that gave the receipt",                          \
      "the log was rewritten or cut: keep the receipt, it proves it",                              \
      "دفتر دنبالهٔ دفتری نیست که رسید داد", "رسید را نگه دارید: سند بازنویسی دفتر است")             \
    X(RECEIPT_ENTRY, COMPLETENESS, "receipt.entry",                                                \
      "what the receipt was given for does not stand in the log",                                  \
      "numbers were left out or replaced: keep the receipt, it proves it",                         \
      "آنچه رسیدش داده شد در دفتر نیست", "رسید را نگه دارید: سند حذف یا تعویض است")                  \
    X(FILE_UNKNOWN, COMPLETENESS, "file.unknown",                                                  \
      "a file that belongs to no archive", "look at what it is; remove it",                        \
      "پرونده‌ای که جای آن در بایگانی نیست", "ببینید چیست و بردارید")                               \
    X(CERTIFICATE_RESULT, EVIDENCE, "certificate.result",                                          \
      "a certificate of another result than the one that follows from the log",                    \
      "the certified result is not that of the published numbers: do not believe it",              \
      "گواهی نتیجه‌ای جز نتیجهٔ برآمده از دفتر", "نتیجهٔ گواهی‌شده با اعداد منتشرشده نمی‌خواند")         \
    X(RESULT_NUMBERS, EVIDENCE, "result.numbers",                                                  \
      "a published result that does not follow from the log",                                      \
      "compare the document with this report, contest by contest",                                 \
      "نتیجهٔ منتشرشده از دفتر برنمی‌آید", "سند را با این گزارش بسنجید")
/* clang-format on */
