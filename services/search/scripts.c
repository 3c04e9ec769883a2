/* Uses ranges of Unicode blocks, which is precise enough here. */
#include "services/search/scripts.h"

#include <string.h>
#include "base/str.h"
#include "base/text.h"

struct range {
        uint32_t first, last;
        enum script script;
};

static const struct range ranges[] = {
    {0x0041, 0x024F, SCRIPT_LATIN},    {0x0370, 0x03FF, SCRIPT_GREEK},      {0x0400, 0x052F, SCRIPT_CYRILLIC},
    {0x0530, 0x058F, SCRIPT_ARMENIAN}, {0x0590, 0x05FF, SCRIPT_HEBREW},     {0x0600, 0x06FF, SCRIPT_ARABIC},
    {0x0750, 0x077F, SCRIPT_ARABIC},   {0x0900, 0x097F, SCRIPT_DEVANAGARI}, {0x0B80, 0x0BFF, SCRIPT_TAMIL},
    {0x0E00, 0x0E7F, SCRIPT_THAI},     {0x1100, 0x11FF, SCRIPT_HANGUL},     {0x1E00, 0x1EFF, SCRIPT_LATIN},
    {0x1F00, 0x1FFF, SCRIPT_GREEK},    {0x3040, 0x30FF, SCRIPT_KANA},       {0x3130, 0x318F, SCRIPT_HANGUL},
    {0x31F0, 0x31FF, SCRIPT_KANA},     {0x3400, 0x4DBF, SCRIPT_HAN},        {0x4E00, 0x9FFF, SCRIPT_HAN},
    {0xAC00, 0xD7AF, SCRIPT_HANGUL},   {0xF900, 0xFAFF, SCRIPT_HAN},        {0xFF66, 0xFF9F, SCRIPT_KANA},
    {0xFFA0, 0xFFDC, SCRIPT_HANGUL},   {0x20000, 0x323AF, SCRIPT_HAN},
};

enum script script_of(uint32_t code_point)
{
        for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
                if (code_point >= ranges[i].first && code_point <= ranges[i].last) {
                        return ranges[i].script;
                }
        }
        return SCRIPT_OTHER;
}

/* Includes Lao, Burmese and Khmer, which have no name above since nothing else depends on them. */
bool script_has_no_spaces(uint32_t code_point)
{
        enum script script = script_of(code_point);

        return script >= SCRIPT_THAI || (code_point >= 0x0E80 && code_point <= 0x0EFF) ||
               (code_point >= 0x1000 && code_point <= 0x109F) || (code_point >= 0x1780 && code_point <= 0x17FF);
}

bool script_folds_accents(enum script script)
{
        return script >= SCRIPT_LATIN && script <= SCRIPT_ARABIC;
}

bool script_is_emoji(uint32_t c)
{
        return (c >= 0x1F000 && c <= 0x1FAFF && !(c >= 0x1F3FB && c <= 0x1F3FF)) || (c >= 0x2600 && c <= 0x27BF) ||
               (c >= 0x2300 && c <= 0x23FF) || (c >= 0x2B00 && c <= 0x2BFF);
}

static const struct language languages[] = {
    {"da", "danish", SCRIPT_LATIN, " og er det at ikke til af jeg på som men fra også være blev hvad "},
    {"de", "german", SCRIPT_LATIN,
     " der die das und ist nicht ein eine ich zu den mit auf auch wir für von sich dem des "},
    {"en", "english", SCRIPT_LATIN, " the and is of to in it that you for was with this are have not be at from "},
    {"es", "spanish", SCRIPT_LATIN, " el la los las que y en un una es por con para no se lo como más pero del al "},
    {"fi", "finnish", SCRIPT_LATIN, " ja on ei se että oli mutta hän niin kun ovat myös kuin mitä ole tämä "},
    {"fr", "french", SCRIPT_LATIN,
     " le la les et est un une des du que qui dans pour pas sur je nous vous avec ce il "},
    {"hu", "hungarian", SCRIPT_LATIN, " az és hogy nem egy is van de ez meg mint csak már volt kell "},
    {"it", "italian", SCRIPT_LATIN, " il lo gli che di è un una per non con sono del della come più ma anche ci "},
    {"nl", "dutch", SCRIPT_LATIN, " de het een en van is niet dat op te met voor zijn er aan ook maar ik je "},
    {"no", "norwegian", SCRIPT_LATIN, " og er det ikke på som med til av jeg en har men fra også ble hva vi "},
    {"pt", "portuguese", SCRIPT_LATIN, " o a os as que e em um uma é por com para não se como mais mas do da no na "},
    {"ro", "romanian", SCRIPT_LATIN, " și este în un o la cu pe nu de că mai din pentru care sunt să "},
    {"sv", "swedish", SCRIPT_LATIN, " och är det att inte på som en jag av för med till ett den har om men "},
    {"tr", "turkish", SCRIPT_LATIN, " ve bir bu için çok ne da de ile ben var daha ama gibi olan değil "},
    {"ru", "russian", SCRIPT_CYRILLIC, NULL},
    {"el", "greek", SCRIPT_GREEK, NULL},
    {"hy", "armenian", SCRIPT_ARMENIAN, NULL},
    {"ar", "arabic", SCRIPT_ARABIC, NULL},
    {"hi", "hindi", SCRIPT_DEVANAGARI, NULL},
    {"ta", "tamil", SCRIPT_TAMIL, NULL},
};

const struct language *language_list(size_t *n)
{
        *n = sizeof(languages) / sizeof(languages[0]);
        return languages;
}

const struct language *language_find(const char *code)
{
        for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
                if (strcmp(languages[i].code, code) == 0) {
                        return &languages[i];
                }
        }
        return NULL;
}

/* ---- Guessing ---- */

static const char *of_script(const size_t counts[SCRIPT_COUNT], enum script script)
{
        static const char *const others[SCRIPT_COUNT] = {[SCRIPT_HEBREW] = "he",
                                                         [SCRIPT_THAI] = "th",
                                                         [SCRIPT_HANGUL] = "ko",
                                                         [SCRIPT_KANA] = "ja",
                                                         [SCRIPT_HAN] = "zh"};

        if (script == SCRIPT_HAN && counts[SCRIPT_KANA] > 0) {
                return "ja";
        }
        for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
                if (languages[i].script == script) {
                        return languages[i].code;
                }
        }
        return others[script] != NULL ? others[script] : "";
}

static enum script most_frequent(const char *text, size_t counts[SCRIPT_COUNT])
{
        enum script best = SCRIPT_OTHER;
        uint32_t c;

        for (size_t len = strlen(text), n; len > 0; text += n, len -= n) {
                n = utf8_decode(text, len, &c);
                if (text_is_letter(c)) {
                        counts[script_of(c)]++;
                }
        }
        for (size_t i = 1; i < SCRIPT_COUNT; i++) {
                best = counts[i] > counts[best] || best == SCRIPT_OTHER ? i : best;
        }
        return counts[best] > 0 ? best : SCRIPT_OTHER;
}

enum { SHORT_WORD = 12 };

/* Adds a vote for each language that has the word among its frequent ones. */
static void add_votes(const char *word, size_t len, size_t votes[])
{
        char spaced[SHORT_WORD + 3] = " ";

        if (len == 0 || len > SHORT_WORD) {
                return;
        }
        for (size_t i = 0; i < len; i++) {
                spaced[i + 1] = (char)(word[i] >= 'A' && word[i] <= 'Z' ? word[i] | 0x20 : word[i]);
        }
        spaced[len + 1] = ' ';
        for (size_t i = 0; i < sizeof(languages) / sizeof(languages[0]); i++) {
                votes[i] += languages[i].words != NULL && strstr(languages[i].words, spaced) != NULL;
        }
}

/* Guesses by frequent words; a tie between languages is undecided. */
static const char *guess_latin(const char *text)
{
        size_t votes[sizeof(languages) / sizeof(languages[0])] = {0}, best = 0, same = 0;
        size_t len = strlen(text), from = 0, n;
        uint32_t c;

        for (size_t at = 0; at < len; at += n) {
                n = utf8_decode(text + at, len - at, &c);
                if (!text_is_letter(c)) {
                        add_votes(text + from, at - from, votes);
                        from = at + n;
                }
        }
        add_votes(text + from, len - from, votes);
        for (size_t i = 0; i < sizeof(votes) / sizeof(votes[0]); i++) {
                same = votes[i] == votes[best] ? same + 1 : votes[i] > votes[best] ? 1 : same;
                best = votes[i] > votes[best] ? i : best;
        }
        return votes[best] > 0 && same == 1 ? languages[best].code : "";
}

const char *language_guess(const char *text)
{
        size_t counts[SCRIPT_COUNT] = {0};
        enum script script = most_frequent(text, counts);

        return script == SCRIPT_LATIN ? guess_latin(text) : of_script(counts, script);
}

const struct language *language_of_stems(const char *text, const char *guess)
{
        size_t counts[SCRIPT_COUNT] = {0};

        if (guess[0] == '\0' && most_frequent(text, counts) == SCRIPT_LATIN) {
                return language_find("en");
        }
        return language_find(guess);
}
