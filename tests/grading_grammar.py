"""Pairs of answers whose truth is known by how they are made: a grammar of writings that knows nothing of the reader.

Each kind draws a value, writes it in two ways that say the same, and once as a near miss: another value, unit, sign,
bracket or order.
"""

import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple


class Pair(NamedTuple):
    """Two writings and whether they say the same."""

    kind: str
    gold: str
    answer: str
    same: bool
    question: str = ""


class Drawn(NamedTuple):
    """Writings of one value, and writings of near misses of it."""

    same: list[str]
    other: list[str]
    question: str = ""


UNITS = [
    ("km", "kilometers", "kilometres"),
    ("cm", "centimeters"),
    ("kg", "kilograms"),
    ("g", "grams"),
    ("hours", "h", "hrs"),
    ("minutes", "min"),
    ("m/s", "meters per second", "\\text{ m/s}"),
    ("cm^2", "square centimeters", "cm²"),
    ("m^3", "cubic meters", "m³"),
    ("Hz", "hertz"),
    ("J", "joules"),
    ("mL", "milliliters"),
    ("miles", "mi"),
    ("mph", "miles per hour"),
    ("N", "newtons"),
    ("°C", "degrees Celsius"),
    ("apples",),
    ("students",),
    ("days",),
]
WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()  # noqa: SIM905
MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905
CHANGED = [
    "dozen",
    "squared",
    "fewer",
    "short",
    "too many",
    "thirds",
    "pairs",
    "hundred",
    "or more",
    "incorrect",
    "lakh",
    "cubed",
    "bn",
]


def whole(dice: random.Random) -> Drawn:
    """A whole number: grouped, with a point, in a box, in full-width digits, in words, in powers of ten."""
    n = dice.randint(0, 16) if dice.random() < 0.4 else dice.randint(17, 99999)
    same = [
        f"{n}",
        f"{n:,}",
        f"{n}.0",
        f"{n}.",
        f"${n}$",
        f"\\boxed{{{n}}}",
        f"\\mathrm{{{n}}}",
        f"({n})",
        f"00{n}",
        f"x = {n}",
        f"The answer is {n}.",
        f"{n}。",
    ]
    same += ["".join(chr(ord(one) + 0xFEE0) for one in str(n))] + ([WORDS[n]] if n < len(WORDS) else [])
    same += (
        [f"{n // 1000}e3", f"{n // 1000} \\times 10^{{3}}", f"{n // 1000} thousand"]
        if n and n % 1000 == 0
        else []
    )
    other = [
        f"{n + 1}",
        f"{n or 1}0",
        f"1{n}",
        f"{n} {dice.choice(CHANGED)}",
        f"{n}.5",
        f"not {n}",
        f"{n} or {n + 1}",
        f"{n}, {n + 2}",
        f"{n}-{n + 1}",
    ]
    other += [f"-{n}", f"{n}^2"] if n > 1 else []
    other += (
        [f"{str(n)[0]} {str(n)[1:]}", f"{str(n)[0]} \\cdot {str(n)[1:]}"]
        if n > 9 and not (n > 999 and n < 10000)
        else []
    )
    return Drawn(same, other)


def fraction(dice: random.Random) -> Drawn:
    """A fraction: reduced or not, in three commands, as a decimal where it ends, as a mixed number."""
    below = dice.choice([2, 3, 4, 5, 7, 8, 9, 10])
    value = Fraction(dice.randint(1, 40), below)
    p, q = value.numerator, value.denominator
    if q == 1:
        return fraction(dice)
    k = dice.randint(2, 5)
    same = [
        f"{p}/{q}",
        f"\\frac{{{p}}}{{{q}}}",
        f"\\dfrac{{{p * k}}}{{{q * k}}}",
        f"{{{p} \\over {q}}}",
        f"{p * k}/{q * k}",
        f"{p}÷{q}",
        f"\\frac{{{-p}}}{{{-q}}}",
    ]
    same += [str(float(value))] if 10**6 % q == 0 else []
    same += [f"{p // q} {p % q}/{q}", f"{p // q}\\frac{{{p % q}}}{{{q}}}"] if p > q else []
    other = [
        f"{q}/{p}",
        f"-\\frac{{{p}}}{{{q}}}",
        f"{p + 1}/{q}",
        f"{float(value):.6f}1",
        f"{p}{q}",
        f"{p}+{q}",
        f"{p}/{q}/1{q}",
    ]
    other += [f"{p // q}{p % q}/{q}"] if p > q and f"{p // q}{p % q}" != f"{p}" else []
    return Drawn(same, other)


def quantity(dice: random.Random) -> Drawn:
    """A number with a unit in several spellings; the bare number answers it."""
    n = dice.randint(2, 500)
    unit, wrong = dice.sample(UNITS, 2)
    same = [f"{n} {spelling}" for spelling in unit] + [
        f"{n}\\text{{ {unit[0]}}}",
        f"{n}.0 {unit[-1]}",
        f"{n}",
    ]
    return Drawn(
        same,
        [
            f"{n} {wrong[0]}",
            f"{n + 1} {unit[0]}",
            f"{n}{n} {unit[-1]}",
            f"-{n} {unit[0]}",
            f"{n} or {n + 1} {unit[0]}",
        ],
    )


def money(dice: random.Random) -> Drawn:
    """An amount of money."""
    n, sign, name = dice.randint(2, 9000), *dice.choice([("$", "dollars"), ("€", "euros"), ("£", "pounds")])
    return Drawn(
        [f"{sign}{n}", f"{sign}{n:,}", f"{sign}{n}.00", f"{n} {name}", f"{n}"],
        [
            f"{sign}{n}.50",
            f"{n} cents",
            f"{sign}{n} million",
            f"{sign}{n} per hour",
            f"¥{n}",
            f"-{sign}{n}",
            f"{sign}{n / 1000:.3f}",
        ],
    )


def share(dice: random.Random) -> Drawn:
    """A percentage."""
    n = dice.randint(2, 99)
    return Drawn(
        [f"{n}%", f"{n}\\%", f"{n} percent", f"{n}％", f"{n}.0%"],
        [f"{n + 1}%", f"{Fraction(n, 10)}%", f"{n / 1000:.4f}", f"0.{n:02}%", f"{n} percent of 3"],
    )


def scientific(dice: random.Random) -> Drawn:
    """A number in scientific form."""
    a, e = dice.randint(11, 99), dice.randint(4, 9)
    head = f"{a // 10}.{a % 10}"
    same = [
        f"{head} \\times 10^{e}",
        f"{head}\\cdot 10^{{{e}}}",
        f"{head}e{e}",
        f"{head}x10^{e}",
        f"{head}E+0{e}",
        f"{a * 10 ** (e - 1)}",
        f"{a * 10 ** (e - 1):,}",
    ]
    return Drawn(
        same,
        [
            f"{head} \\times 10^{e + 1}",
            f"{head} \\times 10^{{-{e}}}",
            f"{head}{e}",
            f"{head}1 \\times 10^{e}",
            f"{head}*10{e}",
            f"-{head}e{e}",
        ],
    )


def point(dice: random.Random) -> Drawn:
    """A tuple, whose order counts."""
    a, b = dice.sample(range(-20, 20), 2)
    same = [
        f"({a},{b})",
        f"({a}, {b})",
        f"\\left({a},\\, {b}\\right)",
        f"({a}.0,{b})",
        f"(\\frac{{{2 * a}}}{{2}}, {b})",
        f"（{a}，{b}）",
    ]
    return Drawn(
        same,
        [
            f"({b},{a})",
            f"({a},{b},0)",
            f"[{a},{b})",
            f"\\{{{a},{b}\\}}",
            f"({a})",
            f"({a},{b + 1})",
            f"-({a},{b})",
        ],
    )


def values(dice: random.Random) -> Drawn:
    """A set, whose order doesn't count."""
    a, b, c = dice.sample(range(-30, 100, 2), 3)
    same = [
        f"\\{{{a},{b},{c}\\}}",
        f"{{{c}, {a}, {b}}}",
        f"{b}, {c}, {a}",
        f"{a}, {c} and {b}",
        f"x = {a}, x = {b}, x = {c}",
        f"{a}; {b}; {c}",
    ]
    return Drawn(
        same,
        [
            f"{{{a},{b}}}",
            f"{{{a},{b},{c + 1}}}",
            f"{{{a},{b},{c},{c + 1}}}",
            f"{a + b + c + 200}",
            f"{{{a},{b},{-c - 1}}}",
        ],
    )


def interval(dice: random.Random) -> Drawn:
    """An interval, as brackets and as an inequality."""
    a = dice.randint(-20, 20)
    b = a + dice.randint(1, 20)
    left, right = dice.choice([("[", "]"), ("(", "]"), ("[", ")")])
    low, high = "\\le" if left == "[" else "<", "\\le" if right == "]" else "<"
    turned = {"\\le": "\\ge", "<": ">"}
    same = [
        f"{left}{a},{b}{right}",
        f"{a} {low} x {high} {b}",
        f"x\\in{left}{a},{b}{right}",
        f"{b} {turned[high]} x {turned[low]} {a}",
        f"\\left{left}{a}, {b}\\right{right}",
    ]
    other = [
        f"({a},{b})",
        f"{left}{a},{b + 1}{right}",
        f"{a} {turned[low]} x",
        f"{left}{b},{a}{right}",
        f"\\{{{a},{b}\\}}",
        f"{left}{a},\\infty)",
    ]
    return Drawn(same, other)


def ray(dice: random.Random) -> Drawn:
    """A half line, or two of them."""
    a = dice.randint(-20, 20)
    if dice.random() < 0.5:
        same = [
            f"(-\\infty,{a})\\cup({a + 3},\\infty)",
            f"x<{a} or x>{a + 3}",
            f"x > {a + 3} \\text{{ or }} x < {a}",
            f"({a + 3},+\\infty) ∪ (-∞,{a})",
        ]
        return Drawn(
            same,
            [
                f"x<{a}",
                f"x<{a} or x\\ge {a + 3}",
                f"{a}<x<{a + 3}",
                f"(-\\infty,{a + 1})\\cup({a + 3},\\infty)",
            ],
        )
    same = [
        f"[{a},\\infty)",
        f"x \\ge {a}",
        f"{a} \\leq x",
        f"x≥{a}",
        f"x >= {a}",
        f"[{a},+∞)",
        f"\\{{x \\mid x \\ge {a}\\}}",
    ]
    return Drawn(
        same,
        [f"x > {a}", f"x \\le {a}", f"({a},\\infty)", f"x \\ge {a + 1}", f"y - x \\ge {a}", f"[{a},1000)"],
    )


def matrix(dice: random.Random) -> Drawn:
    """A matrix of two rows."""
    a, b, c, d = dice.sample(range(-9, 10), 4)

    def made(kind: str, *cells: object) -> str:
        return f"\\begin{{{kind}}}{cells[0]}&{cells[1]}\\\\{cells[2]}&{cells[3]}\\end{{{kind}}}"

    same = [
        made("pmatrix", a, b, c, d),
        made("bmatrix", a, b, c, d),
        made("pmatrix", f" {a} ", f"{b}.0", c, d),
        f"[[{a},{b}],[{c},{d}]]",
    ]
    return Drawn(
        same,
        [
            made("pmatrix", a, c, b, d),
            made("pmatrix", a, b, c, d + 1),
            f"({a},{b},{c},{d})",
            made("vmatrix", a, b, c, d),
        ],
    )


def polynomial(dice: random.Random) -> Drawn:
    """A product of two factors, multiplied out."""
    a, b = dice.sample([one for one in range(-9, 10) if one], 2)
    total, times = a + b, a * b
    spread = f"x^2{total:+d}x{times:+d}" if total else f"x^2{times:+d}"
    same = [
        spread,
        f"(x{a:+d})(x{b:+d})",
        f"(x{b:+d})(x{a:+d})",
        spread.replace("x^2", "x^{2}"),
        f"f(x) = {spread}",
        f"{times} + {total}x + x^2",
    ]
    return Drawn(
        same,
        [
            f"(x{a:+d})(x{b + 1:+d})",
            f"(x{a:+d})^2(x{b:+d})",
            f"-({spread})",
            spread.replace("x^2", "x^3"),
            f"x{total:+d}x{times:+d}",
            f"{spread}+1",
        ],
    )


def root(dice: random.Random) -> Drawn:
    """A square root, simplified or not."""
    a, b = dice.randint(2, 9), dice.choice([2, 3, 5, 6, 7])
    same = [
        f"{a}\\sqrt{{{b}}}",
        f"\\sqrt{{{a * a * b}}}",
        f"{a}\\sqrt{b}",
        f"{a} \\cdot \\sqrt{{{b}}}",
        f"{a}*sqrt({b})",
        f"\\frac{{{a * b}}}{{\\sqrt{{{b}}}}}",
        f"{a}√{b}",
    ]
    return Drawn(
        same,
        [
            f"{b}\\sqrt{{{a * a + 1}}}",
            f"{a}+\\sqrt{{{b}}}",
            f"{a * b**0.5:.5f}",
            f"-{a}\\sqrt{{{b}}}",
            f"{a}\\sqrt[3]{{{b}}}",
            f"\\sqrt{{{a * b}}}",
        ],
    )


def both_signs(dice: random.Random) -> Drawn:
    """Two values that differ in a sign."""
    a, b = dice.randint(1, 30), dice.choice([2, 3, 5, 7])
    if dice.random() < 0.5:
        return Drawn(
            [f"\\pm {a}", f"±{a}", f"{a}, -{a}", f"-{a} or {a}", f"x = \\pm {a}", f"\\{{-{a},{a}\\}}"],
            [f"{a}", f"-{a}", f"\\pm {a + 1}", f"{a},{a}"],
        )
    same = [
        f"{a} \\pm \\sqrt{{{b}}}",
        f"{a}+\\sqrt{{{b}}}, {a}-\\sqrt{{{b}}}",
        f"x = {a} - \\sqrt{b} or x = {a} + \\sqrt{b}",
    ]
    return Drawn(same, [f"{a} + \\sqrt{{{b}}}", f"-{a} \\pm \\sqrt{{{b}}}", f"{a} \\pm {b}"])


def combinatorial(dice: random.Random) -> Drawn:
    """Factorials and binomials, and what they are worth."""
    n, k = dice.randint(4, 9), dice.randint(2, 3)
    over = 1
    for one in range(k):
        over = over * (n - one) // (one + 1)
    product = 1
    for one in range(2, n + 1):
        product *= one
    if dice.random() < 0.5:
        return Drawn([f"{n}!", f"{product}", f"{product:,}"], [f"{n}", f"{n + 1}!", f"{n}!!"])
    return Drawn(
        [f"\\binom{{{n}}}{{{k}}}", f"{{{n} \\choose {k}}}", f"{over}", f"\\dbinom{{{n}}}{{{n - k}}}"],
        [f"\\frac{{{n}}}{{{k}}}", f"{n}{k}", f"\\binom{{{n + 1}}}{{{k}}}"],
    )


def angle(dice: random.Random) -> Drawn:
    """Degrees."""
    n = dice.randint(2, 179)
    return Drawn(
        [f"{n}°", f"{n}^\\circ", f"{n}^{{\\circ}}", f"{n} degrees", f"{n}"],
        [f"{n + 1}°", f"{n} radians", f"{n}^0", f"{n}°C", f"-{n}°"],
    )


def letter(dice: random.Random) -> Drawn:
    """A choice, with the options in the question."""
    options = dice.sample(range(2, 99), 4)
    at = dice.randrange(4)
    name, wrong = "ABCD"[at], "ABCD"[(at + 1) % 4]
    question = "Which one? " + " ".join(
        f"({mark}) {option}" for mark, option in zip("ABCD", options, strict=True)
    )
    same = [
        name,
        f"({name})",
        f"{name})",
        f"**{name}**",
        f"\\textbf{{({name})}}",
        f"{name}) {options[at]}",
        f"({name}) {options[at]}",
        f"Option {name}",
        f"The answer is {name}.",
    ]
    other = [
        wrong,
        f"{name} or {wrong}",
        f"({name})({wrong})",
        f"not {name}",
        f"{wrong}) {options[at]}",
        f"{name}{wrong}",
        "all of the above",
        f"{name}) {options[(at + 1) % 4]}",
    ]
    return Drawn(same, other, question)


def date(dice: random.Random) -> Drawn:
    """A date."""
    day, month, year = dice.randint(13, 28), dice.randint(1, 12), dice.randint(1900, 2025)
    name = MONTHS[month - 1]
    same = [
        f"{name} {day}, {year}",
        f"{day} {name} {year}",
        f"{year}-{month:02}-{day}",
        f"{name[:3]} {day}, {year}",
        f"{year}年{month}月{day}日",
    ]
    return Drawn(
        same,
        [
            f"{name} {day + 1}, {year}",
            f"{MONTHS[month % 12]} {day}, {year}",
            f"{day} {name} {year - 1}",
            f"{year - 1}-{month:02}-{day}",
            f"{name}",
        ],
    )


def time_of_day(dice: random.Random) -> Drawn:
    """A time of day."""
    hour, minute = dice.randint(1, 11), dice.randint(10, 59)
    same = [f"{hour}:{minute} PM", f"{hour}:{minute} p.m.", f"{hour + 12}:{minute}", f"{hour}:{minute}pm"]
    return Drawn(
        same, [f"{hour}:{minute} AM", f"{hour % 11 + 1}:{minute} PM", f"{hour}.{minute}", f"{hour}{minute}"]
    )


def named(dice: random.Random) -> Drawn:
    """Two named values."""
    a, b = dice.sample(range(-20, 50), 2)
    same = [f"x={a}, y={b}", f"x = {a} and y = {b}", f"y={b}, x={a}", f"x={a},y={b}.0"]
    return Drawn(
        same,
        [
            f"x={b}, y={a}",
            f"u={a}, v={b}",
            f"x={a}",
            f"x={a}, y={b + 1}",
            f"x={a}, y={b}, z=0",
            f"x>{a}, y={b}",
        ],
    )


def han(dice: random.Random) -> Drawn:
    """Numbers with Chinese units."""
    n, unit, latin = (
        dice.randint(2, 99),
        *dice.choice(
            [
                ("小时", "hours"),
                ("厘米", "cm"),
                ("平方米", "m^2"),
                ("公斤", "kg"),
                ("天", "days"),
                ("元", "yuan"),
            ]
        ),
    )
    return Drawn(
        [f"{n}{unit}", f"{n} {unit}", f"{n}", f"{n}{unit}。", f"{n} {latin}", f"答案是{n}{unit}"],
        [f"{n + 1}{unit}", f"{n}分钟", f"{n}{unit}以上", f"不是{n}{unit}", f"{n}半{unit}"],
    )


def plain_words(dice: random.Random) -> Drawn:
    """Words."""
    first, last = (
        dice.choice(["Henry", "Marie", "Ada", "Niels", "Emmy"]),
        dice.choice(["Stone", "Curie", "Rivers", "Bohr", "Noether"]),
    )
    name = f"{first} {last}"
    same = [
        name,
        name.lower(),
        name.upper(),
        f"{name}.",
        f'"{name}"',
        f"**{name}**",
        f"\\text{{{name}}}",
        f"  {name} ",
        f"The answer is {name}",
    ]
    return Drawn(
        same,
        [
            first,
            f"{first} {last}s",
            f"not {name}",
            f"{last} {first}",
            f"{name} or someone else",
            f"Mr. {name}",
            f"{name} II",
        ],
    )


def yes_or_no(dice: random.Random) -> Drawn:
    """Agreement."""
    said, unsaid = dice.choice([("yes", "no"), ("no", "yes"), ("true", "false"), ("false", "true")])
    return Drawn(
        [said, said.title(), said.upper() + ".", f"**{said}**", f"\\text{{{said}}}"],
        [unsaid, f"not {said}", f"{said} and {unsaid}", f"{unsaid}, {said}", f"{said}?"],
    )


KINDS: tuple[Callable[[random.Random], Drawn], ...] = (
    whole,
    fraction,
    quantity,
    money,
    share,
    scientific,
    point,
    values,
    interval,
    ray,
    matrix,
    polynomial,
    root,
    both_signs,
    combinatorial,
    angle,
    letter,
    date,
    time_of_day,
    named,
    han,
    plain_words,
    yes_or_no,
)


def pairs(seed: int) -> Iterator[Pair]:
    """Pairs without end, of all kinds in turn, as many near misses as equivalents."""
    dice = random.Random(seed)
    while True:
        for kind in KINDS:
            drawn = kind(dice)
            gold, answer = dice.sample(drawn.same, 2)
            yield Pair(kind.__name__, gold, answer, True, drawn.question)
            yield Pair(
                kind.__name__, dice.choice(drawn.same[:1]), dice.choice(drawn.other), False, drawn.question
            )


def right_answers(seed: int) -> Iterator[Pair]:
    """Gold answers beside themselves, without end."""
    dice = random.Random(seed)
    while True:
        for kind in KINDS:
            drawn = kind(dice)
            gold = dice.choice(drawn.same)
            yield Pair(kind.__name__, gold, gold, True, drawn.question)
