r"""One plain writing for answers that differ in dress alone: dollars, boxes, bold, typographic signs, white space."""

import re
import unicodedata
from functools import lru_cache

LONGEST = 300
"""Characters up to which an answer is looked into; a longer one is compared as it stands."""

# What Unicode's own folding would lose or misread: a raised 2, `㎡`, a minus sign, the signs of sets and orders.
_SIGNS = str.maketrans(
    dict.fromkeys("−–—‒―－", "-")
    | {"×": "*", "÷": "/", "·": "*", "⋅": "*", "∗": "*", "∙": "*", "⁄": "/", "∕": "/", "∶": ":"}
    | {"∞": "\\infty ", "√": "\\sqrt ", "π": "\\pi ", "≤": "\\le ", "≥": "\\ge ", "⩽": "\\le ", "⩾": "\\ge "}
    | {"≠": "\\ne ", "∪": "\\cup ", "∩": "\\cap ", "∈": "\\in ", "±": "\\pm ", "∓": "\\mp ", "∅": "\\emptyset "}
    | {"ℝ": "\\reals ", "°": "^\\circ ", "º": "^\\circ ", "θ": "\\theta ", "α": "\\alpha ", "β": "\\beta "}
    | {"γ": "\\gamma ", "λ": "\\lambda ", "μ": "\\mu ", "ω": "\\omega ", "φ": "\\phi ", "∠": "\\angle "}
    | {"㎡": "m^2", "㎥": "m^3", "㎝": "cm", "㎞": "km", "㎏": "kg", "℃": "^\\circ C", "℉": "^\\circ F"}
    | {"、": ",", "《": '"', "》": '"', "「": '"', "」": '"', "⟨": "\\langle ", "⟩": "\\rangle ", "\0": "\ufffd"}
    | {"‘": "'", "’": "'", "′": "'", "″": '"', "＇": "'", "⌊": "\\lfloor ", "⌋": "\\rfloor "}
    | {"⌈": "\\lceil ", "⌉": "\\rceil "}
)  # fmt: skip
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_LOWERED = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_WRAPPERS = (
    ("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]"), ("***", "***"), ("**", "**"), ("__", "__"), ("`", "`"),
    ('"', '"'), ("“", "”"), ("'", "'"), ("*", "*"),
    *((f"\\{name}{{", "}") for name in ("boxed", "fbox", "framebox", "underline", "ensuremath", "mathbf", "bm", "boldsymbol")),
)  # fmt: skip
_OPENINGS = frozenset(opening[0] for opening, _ in _WRAPPERS)
_TEXT = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|mathrm|mathbf|mathit|mathsf|mbox|hbox|emph|operatorname\*?|bold)\s*\{([^{}]*)\}"
)
_NAMED_SPACES = re.compile(r"(\\\\)|\\(?:[,;: >]|q?quad(?![a-z])|thinspace(?![a-z]))|(?<!\\)~")
_NOTHING = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|limits|nolimits|bigl?|bigr?|Bigl?|Bigr?|biggl?|biggr?)(?![A-Za-z])\.?|\\!"
)
_NAMES = {"leq": "le", "leqslant": "le", "geq": "ge", "geqslant": "ge", "neq": "ne", "dfrac": "frac", "tfrac": "frac", "cfrac": "frac"} | {
    "dbinom": "binom", "tbinom": "binom", "varnothing": "emptyset", "degree": "circ", "lbrace": "{", "rbrace": "}",
    "lparen": "(", "rparen": ")", "lbrack": "[", "rbrack": "]", "lvert": "|", "rvert": "|", "vert": "|", "ast": "cdot",
    "dots": "ldots", "lt": "<", "gt": ">", "colon": ":", "R": "reals", "setminus": "setminus", "mid": "mid",
    "infin": "infty", "varphi": "phi", "bullet": "cdot",
}  # fmt: skip
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_REALS = re.compile(r"\\(?:mathbb|Bbb|mathbf) ?\{? ?R ?\}?(?![A-Za-z])")
_CLOSING = ".,;:。．｡，；：、।؛،۔።!！…"
"""What may stand behind a sentence of any script and says nothing."""


def plain(text: str) -> str:
    r"""The answer without its dress: `½` as `1/2`, full-width digits, thin spaces, a closing full stop, `$…$`, `\boxed{…}`."""
    return _remembered(text) if len(text) <= LONGEST else _undressed(text)


def _undressed(text: str) -> str:
    text = _simple_signs(text)
    # One dress over the other (`**\boxed{$5$}**.`), so again until nothing comes off; a bound, since models repeat
    # themselves.
    for _ in range(8):
        bare = _unwrapped(_ended(text))
        if bare == text:
            break
        text = bare
    return text


_remembered = lru_cache(maxsize=512)(_undressed)  # the parts of a set are compared each with each


_ROOT = re.compile(r"([√∛∜]) ?(?:([0-9]+(?:\.[0-9]+)?|[A-Za-z])(?![0-9])|\(([^()]*)\))")
_DEGREES = {"√": "", "∛": "[3]", "∜": "[4]"}
_UNIT_VECTOR = re.compile(r"\\hat ?\{? ?(?:\\mathbf ?)?\{? ?(?:\\([ij])math|([ijk]))(?![A-Za-z]) ?\}{0,2}")


def _simple_signs(text: str) -> str:
    text = _ROOT.sub(lambda found: rf"\sqrt{_DEGREES[found[1]]}{{{found[2] or found[3]}}}", text)
    # Before NFKC, which would make 21⁄2 of 2½.
    text = re.sub("([0-9])([¼½¾⅐-⅞])", r"\1 \2", text)
    text = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda found: f"^{{{found[0].translate(_RAISED)}}}", text)
    text = re.sub("[₀₁₂₃₄₅₆₇₈₉]+", lambda found: f"_{{{found[0].translate(_LOWERED)}}}", text)
    # Twice: of ½ and ϕ NFKC makes signs that are in the table themselves (⁄, φ).
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    if "\\" in text:
        text = _simple_commands(text)
    return " ".join(text.replace("{,}", ",").split())


def _simple_commands(text: str) -> str:
    if len(_UNIT_VECTOR.findall(text)) > 1:  # one alone may be an estimate of i
        text = _UNIT_VECTOR.sub(lambda found: found[1] or found[2], text)
    text = _REALS.sub(
        r"\\reals ", text.replace("\\%", "%").replace("\\$", "$").replace("\\#", "#").replace("\\_", "_")
    )
    text = _NOTHING.sub("", _NAMED_SPACES.sub(lambda found: found[1] or " ", text))
    for _ in range(3):
        inside = _TEXT.sub(_said, text)
        if inside == text:
            break
        text = inside
    return _COMMAND.sub(lambda found: _command(found[1]), text)


def _said(found: re.Match[str]) -> str:
    """Text set as text: words are kept apart from what stands beside them, one letter stays where it is."""
    said = found[1].strip()
    return (
        f" {said} "
        if len(said) > 1 or said in ("m", "g", "s", "h", "L", "l", "N", "J", "W", "V", "K")
        else said
    )


def _command(name: str) -> str:
    simple = _NAMES.get(name, name)
    return f"\\{simple}" if simple.isalpha() or simple in "{}" else simple


def _ended(text: str) -> str:
    """Without closing punctuation; the sign of a factorial is none."""
    if text.endswith(".."):  # `3.33...` goes on
        return text
    while text and text[-1] in _CLOSING and not (text[-1] in "!！" and _may_be_factorial(text)):
        text = text[:-1].rstrip()
    return text


def _may_be_factorial(text: str) -> bool:
    before = text[:-1].rstrip("!！")[-2:]
    return bool(before) and (not before[-1].isalpha() or not before.isalpha() or len(before) < 2)


def _unwrapped(text: str) -> str:
    if text[:1] not in _OPENINGS:  # most texts wear nothing, and this is asked of each several times
        return text
    for opening, closing in _WRAPPERS:
        inside = text[len(opening) : len(text) - len(closing)]
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            # “$a$ and $b$” begins and ends with a dollar, but isn't one piece.
            if closing != "}" and closing not in inside and opening not in inside:
                return inside.strip()
            if closing == "}" and balanced(inside):
                return inside.strip()
    return text


def balanced(text: str) -> bool:
    """Does every brace of the text close, and none before it opens?"""
    depth = 0
    for sign in text:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if depth < 0:
            return False
    return depth == 0


_LEAD = re.compile(
    r"^(?:(?:so|thus|therefore|hence|finally),? )?(?:(?:the|my|our) )?(?:final |correct |right )?"
    r"(?:answer|result|solution|choice|option)(?: is:?|:| =) (?=.)|^(?:最终)?(?:答案|答|答え)(?:是|为|為|:|は) ?(?=.)|^(?:\\therefore|∴|=) ?(?=.)",
    re.IGNORECASE,
)


def stated(text: str) -> str:
    """The plain text behind “The answer is”, “答案是” and the like; such words say nothing of the answer."""
    text = plain(text)
    led = _LEAD.sub("", text, count=1)
    if led == text:
        return text
    return plain(re.sub("(?:です|である|でした)$", "", led))


def same_words(answer: str, gold: str) -> bool:
    """Equal after `plain`, letter case aside; a choice may wear brackets, as in `(B)` for `B`."""
    one, other = worded(answer), worded(gold)
    return bool(one) and one == other


def worded(text: str) -> str:
    """The words of a text in one spelling: letter case, a leading article and the brackets of a letter aside."""
    text = stated(text).casefold()
    text = text[1:-1] if len(text) == 3 and text[0] == "(" and text[2] == ")" and text[1].isalpha() else text
    return re.sub(r"^(?:the|an?) (?=[^ ]{2})", "", text)


_TAKES_BACK = re.compile(
    r"\b(?:not?|never|neither|nor|none|without|except|but|false|wrong|incorrect|isn't|aren't|won't|or|and|non|un\w+|in\w+|less|more|most|least)\b|n't\b|不|非|没"
)


def says_more(answer: str, gold: str) -> bool:
    """Whether one text has the words of the other and further ones that take nothing back: `I think Paris` and `Paris`."""
    short, long = sorted((worded(answer), worded(gold)), key=len)
    at = long.find(short) if len(short) > 3 else -1
    if (
        at < 0
        or len(long) > LONGEST
        or (long[at - 1 : at] + long[at + len(short) :][:1]).strip(" ,.:;")
        or len(short) == len(long)
    ):
        return False
    return not _TAKES_BACK.search(f"{long[:at]} {long[at + len(short) :]}")


_CALCULATES = re.compile(r"[0-9=<>^\\√∫∑∏±≈~∪∩+*/|]")
_CODE = re.compile(r"(?:[A-Z][a-z]?[0-9]*)+[+-]?|[A-Za-z]{1,3}[0-9][\w.]*")
"""A formula of chemistry, or a name with a number: H2O, B12, v1.2."""
_OF_FUNCTIONS = "log sin cos tan exp sqrt lim max min gcd lcm mod det arg sum"
_OF_COUNTING = """about around approx approximately roughly nearly almost circa etwa ungefähr rund environ aproximadamente около
least most more less than fewer between from over under exactly only and for all any some where when with per the
remainder rem times plus minus divided multiplied equals squared cubed root half third quarter dozen percent infinity
integer integers real natural positive negative even odd prime number numbers value values solution solutions
zero one two three four five six seven eight nine ten eleven twelve hundred thousand million billion
degrees degree radians rad deg units unit inch inches feet meter meters metres miles mph kph lbs mol cal cents dollars
hour hours min minutes sec seconds day days weeks years"""
_FUNCTIONS = frozenset(_OF_FUNCTIONS.split())
_COUNTING = _FUNCTIONS | frozenset(_OF_COUNTING.split())
"""Words that stand beside numbers and say nothing without them."""
_ABOUT = re.compile(
    r"(?:\\approx|≈|~|about|around|approx(?:\.|imately)?|roughly|nearly|almost|ca\.?|circa|etwa|ungefähr|rund|environ|"
    r"aproximadamente|около|约为?|大约|およそ|約|약) ?[$£€-]?[0-9]",
    re.IGNORECASE,
)


def is_about(text: str) -> bool:
    """Whether a text gives a number that is only near the true one."""
    return _ABOUT.match(plain(text)) is not None


def is_worked(text: str) -> bool:
    """Whether a text that nothing reads is a number or formula all the same: `1.4422...`, `2 remainder 3`, `x +`; `Windows 10` isn't."""
    text = plain(text)
    words = re.findall(r"[^\W\d_]+", text.casefold())
    if _CODE.fullmatch(text) or any(len(word) > 2 and word not in _COUNTING for word in words):
        return not words and bool(_CALCULATES.search(text))
    return bool(_CALCULATES.search(text)) or any(word in _FUNCTIONS for word in words)


_TOKENS = re.compile(r"\\[A-Za-z]+|\\.|[0-9]+(?:[.,][0-9]+)*|[A-Za-z]+|[^ ]")


def form(text: str) -> str:
    r"""The signs of a text one by one, `\frac12` as `\frac{1}{2}` and `x^2` as `x^{2}`; equal forms say the same."""
    text = re.sub(r"\\frac ?([0-9a-zA-Z]) ?([0-9a-zA-Z])", r"\\frac{\1}{\2}", plain(text))
    text = re.sub(r"\\sqrt ?([0-9a-zA-Z])(?![0-9a-zA-Z])", r"\\sqrt{\1}", text)
    text = re.sub(r"([\^_]) ?([0-9a-zA-Z])(?![0-9])", r"\1{\2}", text)
    return " ".join(
        _TOKENS.findall(text.replace("\\cdot", "*").replace("\\times", "*").replace("\\div", "/"))
    )


def same_form(answer: str, gold: str) -> bool:
    """Equal but for spaces between signs and the spelling of a few; no sign is lost and no digit joined."""
    one = form(answer)
    return bool(one) and one == form(gold)
