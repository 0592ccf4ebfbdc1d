r"""Units of measure in one spelling each: `km/h`, `kilometers per hour`, `\text{m/s}^2`, `平方米`, `dollars a day`.

Two units are the same when their spelling is, or where both measure the same and a conversion was asked for.
"""

import re
from fractions import Fraction
from functools import lru_cache

from skill_factory.grading.nouns import counted

_SPELLINGS = {
    "$": "$ usd dollar dollars us$ buck bucks 美元 ドル 달러", "cent": "cent cents ¢ 美分", "€": "€ eur euro euros 欧元",
    "£": "£ gbp quid pound_sterling pounds_sterling 英镑", "¥": "¥ jpy yen 円 日元", "yuan": "yuan rmb cny 元 块 人民币", "₹": "₹ inr rupee rupees rs",
    "pound": "pound pounds 磅", "₩": "₩ won 원", "p": "pence penny pennies",
    "%": "% percent percents per_cent pct 퍼센트", "degree": "degree degrees deg ^\\circ 度", "radian": "radian radians rad",
    "°C": "^\\circ_C celsius degrees_celsius degree_celsius degrees_c 摄氏度 ^\\circC", "°F": "^\\circ_F fahrenheit degrees_fahrenheit degree_fahrenheit degrees_f 华氏度 ^\\circF",
    "m": "m meter meters metre metres 米 公尺 メートル 미터", "km": "km kilometer kilometers kilometre kilometres kms 公里 千米 キロメートル 킬로미터",
    "cm": "cm centimeter centimeters centimetre centimetres cms 厘米 公分 センチメートル 센티미터", "mm": "mm millimeter millimeters millimetre millimetres 毫米",
    "µm": "µm micrometer micrometers micron microns", "nm": "nm nanometer nanometers nanometre nanometres", "dm": "dm decimeter decimeters",
    "inch": "in inch inches \"", "foot": "ft foot feet", "yard": "yd yard yards yds", "mile": "mi mile miles 英里", "light-year": "light-year light-years light_years",
    "g": "g gram grams gramme grammes gm gms 克 グラム 그램", "kg": "kg kgs kilogram kilograms kilo kilos 千克 公斤 キログラム 킬로그램", "mg": "mg milligram milligrams 毫克",
    "µg": "µg microgram micrograms", "lb": "lb lbs", "ounce": "oz ounce ounces", "ton": "ton tons tonne tonnes 吨", "stone": "stones",
    "liter": "l liter liters litre litres 升 リットル 리터", "ml": "ml milliliter milliliters millilitre millilitres cc 毫升", "gallon": "gal gallon gallons",
    "quart": "qt quart quarts", "pint": "pt pint pints", "cup": "cup cups", "tablespoon": "tbsp tablespoon tablespoons", "teaspoon": "tsp teaspoon teaspoons",
    "fluid ounce": "fl_oz fluid_ounce fluid_ounces", "acre": "acre acres", "hectare": "ha hectare hectares",
    "second": "s sec secs second seconds 秒 秒钟 초", "minute": "min mins minute minutes 分钟 分鐘 分 분", "hour": "h hr hrs hour hours 小时 小時 时间 時間 시간",
    "day": "day days 天 日 일", "week": "week weeks wk wks 周 週 星期 週間", "month": "month months 个月 ヶ月 か月 個月 개월", "year": "year years yr yrs year_old years_old year-old year-olds years_of_age 年 岁 歳 년 살",
    "millisecond": "ms millisecond milliseconds", "decade": "decade decades", "century": "century centuries",
    "joule": "j joule joules 焦耳", "kJ": "kj kilojoule kilojoules", "calorie": "cal calorie calories", "kcal": "kcal kilocalorie kilocalories",
    "newton": "n newton newtons 牛顿", "watt": "w watt watts 瓦", "kW": "kw kilowatt kilowatts", "MW": "megawatt megawatts", "volt": "v volt volts 伏", "ampere": "amp amps ampere amperes 安培", "mA": "ma milliampere milliamperes",
    "ohm": "ohm ohms ω 欧姆", "hertz": "hz hertz 赫兹", "kHz": "khz kilohertz", "MHz": "mhz megahertz", "GHz": "ghz gigahertz", "pascal": "pa pascal pascals", "kPa": "kpa kilopascal kilopascals",
    "atm": "atm atmosphere atmospheres", "mmHg": "mmhg", "kelvin": "k kelvin kelvins", "mole": "mol mole moles", "coulomb": "coulomb coulombs", "farad": "farad farads", "tesla": "tesla teslas",
    "eV": "ev electronvolt electronvolts", "dB": "db decibel decibels", "bit": "bit bits", "byte": "byte bytes", "KB": "kb kilobyte kilobytes", "MB": "mb megabyte megabytes", "GB": "gb gigabyte gigabytes",
    "km/hour": "kmh kph kmph", "mile/hour": "mph", "mile/gallon": "mpg", "m/second": "mps", "kWh": "kwh kilowatt-hour kilowatt-hours kilowatt_hours", "rpm": "rpm",
    "person": "人 名 位 명", "piece": "个 個 个个 只 隻 条 條 本 张 張 件 颗 顆 棵 头 頭 匹 枚 支 辆 輛 台 块钱 개 마리 권", "time": "次 回", "unit": "unit units u",
}  # fmt: skip
UNITS = {spelling.replace("_", " "): unit for unit, all_ in _SPELLINGS.items() for spelling in all_.split()}
_BIG = {"L": "liter", "mL": "ml", "J": "joule", "N": "newton", "W": "watt", "V": "volt", "K": "kelvin", "A": "ampere", "Hz": "hertz", "Pa": "pascal", "MW": "MW"} | {
    "mA": "mA", "GB": "GB", "MB": "MB", "KB": "KB", "kW": "kW", "kJ": "kJ", "kPa": "kPa", "kWh": "kWh", "eV": "eV", "dB": "dB", "kHz": "kHz", "MHz": "MHz", "GHz": "GHz",
    "Ω": "ohm", "USD": "$", "US$": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "CNY": "yuan", "RMB": "yuan", "INR": "₹", "Rs": "₹",
}  # fmt: skip
_SMALL_ONLY = frozenset({"j", "n", "w", "v", "k", "u", "ma", "mw", "pa", "won"})
"""Symbols that are capital, or a unit in another writing alone."""
_ANY_CASE = frozenset(
    [
        "kg",
        "km",
        "cm",
        "ml",
        "lb",
        "lbs",
        "oz",
        "ft",
        "mph",
        "kph",
        "hr",
        "hrs",
        "min",
        "sec",
        "usd",
        "eur",
        "gbp",
        "hz",
        "cal",
        "deg",
        "rad",
        "pct",
        "yen",
        "day",
        "gal",
        "tsp",
        "in",
    ]
)
"""Short spellings whose capitals mean nothing else."""
_SI = {
    name: (base, Fraction(times))
    for name, base, times in (
        one.split()
        for one in (
            "km m 1000; cm m 1/100; mm m 1/1000; dm m 1/10; kg g 1000; mg g 1/1000; minute second 60; "
            "hour second 3600; day second 86400; week second 604800; millisecond second 1/1000; inch m 127/5000; "
            "foot m 381/1250; yard m 1143/1250; mile m 201168/125; ml liter 1/1000; cent $ 1/100; p £ 1/100; "
            "lb g 45359237/100000; pound g 45359237/100000; ounce g 45359237/1600000; year month 12; "
            "decade month 120; century month 1200; pint gallon 1/8; quart gallon 1/4; cup gallon 1/16; "
            "kJ joule 1000; kW watt 1000; kHz hertz 1000; MHz hertz 1000000; GHz hertz 1000000000; "
            "mA ampere 1/1000; kPa pascal 1000; "
        )
        .strip("; ")
        .split("; ")
    )
}
"""Unit, what it is compared in, and how many of those it is: what `converted` knows."""


@lru_cache(maxsize=256)
def read_unit(text: str, asked: frozenset[str] = frozenset()) -> str | None:
    """One spelling of the unit or of what is counted that the text names as a whole; None for any other text."""
    text = re.sub(r"\^ ?\{? ?\\circ ?\}?", "^\\\\circ", text.strip().removesuffix(".").strip())
    text = re.sub(r"\^ ?\{ ?(-?[0-9]) ?\}", r"^\1", text)
    if not text or len(text) > 80:
        return None
    if (whole := _named(text)) is not None:
        return whole
    text = text.removesuffix(" each").removesuffix(" in total").removesuffix(" altogether")
    parts = re.split(r" per | ?/ ?| an? | each |每", text)
    if not 0 < len(parts) <= 3 or not all(parts):
        return None
    upper, *lower = [_product(part.strip(" ()"), asked) for part in parts]
    if upper is None or None in lower:
        return None
    return "/".join([upper, *map(str, lower)])


def _product(text: str, asked: frozenset[str]) -> str | None:
    found = _factor(text, asked)
    if found is not None:
        return found
    factors = [_factor(part.strip(), frozenset()) for part in re.split(r" ?\* ?|-| ", text)]
    if not 1 < len(factors) <= 4 or not all(factors):
        return None
    return "*".join(sorted(map(str, factors)))


def _factor(text: str, asked: frozenset[str]) -> str | None:
    """A unit, its power (`square meters`, `m^2`, `平方米`), or what is counted."""
    if (found := _named(text)) is not None:
        return found
    han = re.fullmatch("(平方|立方)(.+)", text)
    if han and han[2] in UNITS:
        return f"{UNITS[han[2]]}^{2 if han[1] == '平方' else 3}"
    raised = re.fullmatch(r"(square |sq\.? |cubic |cu\.? )?([^ ^]{1,20})( squared| cubed| ?\^-?[1-9])?", text)
    if raised and bool(raised[1]) != bool(raised[3]) and (unit := _named(raised[2])):
        power = (
            raised[3].strip()[-1]
            if raised[3] and "^" in raised[3]
            else "3"
            if "cu" in (raised[1] or raised[3])
            else "2"
        )
        return f"{unit}^{'-' if '-' in (raised[3] or '') else ''}{power}"
    return counted(text.lower().split(), asked)


def _named(text: str) -> str | None:
    if text in _BIG:
        return _BIG[text]
    if text.startswith("^\\circ"):
        return UNITS.get(text.replace(" ", ""))
    small = text.lower()
    # Of single letters the case counts: `m` and `M`, `s` and `S` are different things.
    if len(text) == 1 and text.isalpha() and text.isascii():
        return UNITS[text] if text in UNITS and text not in _SMALL_ONLY else None
    if small in _SMALL_ONLY and text.isascii():
        return None
    short = len(text) < 4 and text.isascii() and text.isalpha()  # `mg` isn't `Mg`
    return UNITS.get(small if small in _ANY_CASE or not short else text)


def same_unit(one: str, other: str) -> bool:
    """Equal spellings; `pound` alone may be a weight or money."""
    parts, others = one.split("/"), other.split("/")
    return len(parts) == len(others) and all(map(_same_part, parts, others))


def _same_part(one: str, other: str) -> bool:
    return one == other or ("pound" in (one, other) and bool({one, other} & {"lb", "£"}))


def converted(value: Fraction, unit: str) -> tuple[Fraction, str]:
    """The value in the unit that its kind of measure is compared in: 3 hours as 10,800 seconds."""
    upper, slash, lower = unit.partition("/")
    base, times = _based(upper)
    if not slash:
        return value * times, base
    below, divided = _based(lower)
    return value * times / divided, f"{base}/{below}"


def _based(unit: str) -> tuple[str, Fraction]:
    name, raised, power = unit.partition("^")
    base, times = _SI.get(name, (name, Fraction(1)))
    exponent = int(power) if raised else 1
    return (f"{base}^{power}" if raised else base), Fraction(times**exponent)
