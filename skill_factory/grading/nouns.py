"""What answers count: things a number may stand before without being changed, and words that tell such things apart.

A word that is not here, nor a unit, nor in the question leaves an answer unread. Words that change a number (`pair`,
`dozen`, `third`, `fewer`, `short`) must never be added.
"""

from functools import lru_cache

THINGS = frozenset(
    ["account", "acre", "act", "action", "activity", "adult", "afternoon", "album", "animal", "ant", "apple", "apricot", "arm", "arrangement", "arrow", "article", "artist", "atom", "aunt", "author", "award", "axe", "baby", "badge", "bag", "bagel", "baker", "ball", "balloon", "banana", "band", "bar", "barrel", "baseball", "basket", "basketball", "bat", "bath", "battery", "beach", "bead", "bean", "bear", "bed", "bedroom", "bee", "beer", "beetle", "bell", "belt", "bench", "berry", "bicycle", "bike", "bill", "bin", "bird", "birthday", "biscuit", "bit", "blanket", "block", "blossom", "blueberry", "board", "boat", "book", "bookcase", "bookmark", "bookshelf", "boot", "bottle", "bowl", "box", "boy", "bracelet", "branch", "bread", "break", "brick", "bridge", "broom", "brother", "brownie", "brush", "bucket", "buffalo", "bug", "building", "bulb", "bun", "burger", "bus", "bush", "button", "cab", "cabbage", "cabin", "cake", "calculator", "calf", "call", "camel", "camera", "camper", "can", "candle", "candy", "cap", "captain", "car", "card", "carnation", "carrot", "carton", "cartoon", "case", "cat", "caterpillar", "cell", "cent", "century", "chair", "challenge", "channel", "chapter", "character", "cherry", "chick", "chicken", "chief", "child", "chip", "chocolate", "choice", "chore", "christmas", "cigarette", "circle", "city", "class", "classmate", "classroom", "client", "clip", "clock", "club", "coach", "coat", "coconut", "coin", "color", "colour", "column", "combination", "comic", "committee", "computer", "concert", "cone", "contestant", "cookie", "copy", "corner", "costume", "cot", "cousin", "cow", "crab", "cracker", "crayon", "cream", "creature", "crew", "crocodile", "crow", "cruise", "cube", "cucumber", "cup", "cupcake", "curtain", "customer", "cut", "cutlet", "daisy", "dancer", "date", "daughter", "day", "deck", "deer", "dentist", "desk", "diagonal", "diamond", "diaper", "dice", "digit", "dime", "dinner", "dinosaur", "disc", "dish", "divisor", "doctor", "dog", "doll", "dollar", "dolphin", "donkey", "donut", "door", "doughnut", "dragon", "drawer", "drawing", "dress", "drink", "driver", "drop", "drum", "duck", "duckling", "ear", "earring", "edge", "egg", "elephant", "elf", "email", "employee", "engine", "engineer", "envelope", "episode", "equation", "eraser", "error", "essay", "exam", "example", "exercise", "experiment", "eye", "face", "factor", "factory", "family", "fan", "farmer", "father", "feather", "fence", "field", "figure", "file", "film", "finger", "fish", "fisherman", "flag", "flash", "flavor", "flight", "floor", "flower", "flute", "fly", "folder", "foot", "football", "fork", "fox", "frame", "friend", "frog", "fruit", "function", "game", "garden", "gallon", "gem", "ghost", "gift", "giraffe", "girl", "glass", "glove", "goal", "goat", "goldfish", "goose", "grandchild", "grape", "grapefruit", "graph", "grasshopper", "guest", "guitar", "gum", "hair", "hallway", "hammer", "hamster", "hand", "handkerchief", "handshake", "hat", "head", "heart", "helmet", "hen", "hexagon", "highway", "hill", "hippo", "hole", "holiday", "home", "horse", "hospital", "hotdog", "hotel", "house", "human", "ice", "icon", "idea", "inning", "insect", "instrument", "integer", "intersection", "island", "item", "jacket", "jar", "jeep", "jelly", "jersey", "jewel", "job", "jockey", "joke", "judge", "juice", "kangaroo", "key", "keyboard", "kid", "king", "kit", "kitchen", "kite", "kitten", "knife", "knight", "ladder", "ladybug", "lake", "lamb", "lamp", "lane", "laptop", "lawn", "lawyer", "lead", "leaf", "league", "leg", "legging", "lemon", "lemonade", "lesson", "letter", "level", "library", "light", "lightbulb", "lily", "line", "lion", "list", "litre", "lizard", "loaf", "location", "locker", "log", "lollipop", "loop", "lot", "lunch", "machine", "magazine", "magnet", "man", "mango", "map", "marble", "mark", "marker", "market", "mask", "mat", "match", "matrix", "meal", "medal", "member", "menu", "message", "mile", "milkshake", "minion", "mirror", "mistake", "model", "mole", "molecule", "moment", "monkey", "monster", "month", "monument", "mother", "mountain", "mouse", "mouth", "movie", "muffin", "mug", "multiple", "murder", "muscle", "mushroom", "musician", "nail", "napkin", "necklace", "needle", "neighbor", "neighbour", "neighborhood", "nest", "newspaper", "nickel", "night", "node", "note", "notebook", "number", "nurse", "nut", "ocean", "octagon", "octopus", "office", "officer", "onion", "operation", "orange", "orchid", "order", "ornament", "outcome", "outfit", "oven", "owl", "package", "packet", "pad", "page", "pail", "paint", "painting", "pan", "pancake", "panda", "pant", "paper", "parade", "parent", "park", "parrot", "part", "participant", "party", "passenger", "patch", "patient", "peach", "peanut", "pear", "pearl", "pebble", "pen", "pencil", "penguin", "penny", "pentagon", "people", "pepper", "period", "permutation", "person", "pet", "petal", "phone", "photo", "photograph", "photographer", "piano", "pickle", "picture", "pie", "piece", "pig", "pigeon", "pill", "pillow", "pilot", "pine", "pineapple", "pint", "pipe", "pirate", "pizza", "place", "plane", "planet", "plant", "plate", "player", "plum", "pocket", "poem", "point", "pole", "police", "polygon", "pond", "pony", "pool", "popsicle", "possibility", "post", "poster", "pot", "potato", "pound", "present", "president", "prime", "prince", "princess", "prisoner", "prize", "problem", "product", "professor", "program", "project", "puppy", "purse", "puzzle", "quail", "quart", "queen", "question", "rabbit", "raccoon", "race", "radish", "rag", "rat", "raven", "reader", "reason", "recipe", "record", "rectangle", "region", "relative", "report", "resident", "response", "rest", "restaurant", "ribbon", "rider", "ring", "river", "road", "robe", "robot", "rock", "roll", "roof", "room", "root", "rope", "rose", "route", "row", "ruler", "run", "runner", "sack", "salad", "salesman", "salmon", "sandwich", "scarf", "scholarship", "school", "scientist", "scooter", "score", "screw", "sculpture", "sea", "seal", "seashell", "season", "seat", "section", "seed", "segment", "sentence", "session", "shape", "share", "shark", "sheep", "sheet", "shelf", "shell", "ship", "shirt", "shoe", "shop", "shot", "shovel", "show", "shrimp", "shrub", "side", "sibling", "sign", "singer", "sister", "skater", "skirt", "slice", "slot", "snack", "snail", "snake", "sneaker", "snowball", "snowflake", "soap", "soccer", "sock", "soda", "sofa", "soldier", "solution", "son", "song", "soup", "space", "spaceship", "spectator", "speech", "spider", "spoon", "sport", "spot", "square", "squirrel", "stadium", "staff", "stage", "stair", "stalk", "stall", "stamp", "star", "state", "station", "steak", "step", "stick", "sticker", "stone", "stool", "stop", "store", "storey", "story", "stranger", "strategy", "straw", "strawberry", "stream", "street", "string", "stripe", "student", "stump", "style", "subject", "submarine", "subscriber", "suit", "suitcase", "sunflower", "survey", "swan", "sweater", "sweet", "swimmer", "symbol", "table", "tablespoon", "tablet", "tail", "tank", "tape", "task", "taxi", "tea", "teacher", "team", "teammate", "teaspoon", "teen", "teenager", "telephone", "television", "tent", "term", "test", "ticket", "tie", "tiger", "tile", "toe", "token", "tomato", "tool", "tooth", "toothbrush", "topping", "tourist", "towel", "tower", "town", "toy", "track", "tractor", "train", "tray", "treat", "tree", "triangle", "tricycle", "trip", "triplet", "trophy", "trousers", "truck", "trumpet", "tube", "tulip", "tunnel", "turkey", "turn", "turnip", "turtle", "twin", "type", "umbrella", "uncle", "uniform", "unit", "vacation", "valley", "value", "van", "vase", "vegetable", "vehicle", "version", "vertex", "video", "village", "violin", "visit", "visitor", "voice", "volume", "volunteer", "vote", "voter", "wagon", "waiter", "waitress", "walk", "wall", "wallet", "watch", "watermelon", "way", "week", "weekend", "whale", "wheel", "whistle", "wife", "window", "wing", "winner", "wire", "wish", "wolf", "woman", "word", "work", "worker", "workout", "worm", "wreath", "yard", "year", "yogurt", "zebra", "zoo"]
) - {"pair", "score", "bit", "break", "cut", "drop", "lot", "share", "rest", "run", "lead", "part", "cent", "dollar", "pound", "mile", "yard"}  # fmt: skip
"""In the singular; what is both a thing and a measure or a change of number is taken off."""
PLURALS = {
    "children": "child", "men": "man", "women": "woman", "feet": "foot", "teeth": "tooth", "mice": "mouse", "geese": "goose",
    "people": "person", "leaves": "leaf", "loaves": "loaf", "knives": "knife", "wolves": "wolf", "shelves": "shelf", "calves": "calf",
    "wives": "wife", "scarves": "scarf", "vertices": "vertex", "matrices": "matrix", "dice": "die", "elves": "elf", "oxen": "ox",
    "cacti": "cactus", "grandchildren": "grandchild", "fishermen": "fisherman", "bookshelves": "bookshelf", "persons": "person",
}  # fmt: skip
QUALITIES = frozenset(
    [
        "red",
        "blue",
        "green",
        "yellow",
        "white",
        "black",
        "brown",
        "pink",
        "purple",
        "gray",
        "grey",
        "golden",
        "silver",
        "gold",
        "big",
        "small",
        "large",
        "little",
        "tall",
        "long",
        "round",
        "new",
        "old",
        "young",
        "fresh",
        "ripe",
        "male",
        "female",
        "hot",
        "cold",
        "whole",
        "different",
        "distinct",
        "possible",
        "real",
        "positive",
        "negative",
        "even",
        "odd",
        "prime",
        "integer",
        "unique",
        "equal",
        "wooden",
        "plastic",
        "glass",
        "paper",
        "metal",
        "chocolate",
        "vanilla",
        "duck",
        "chicken",
        "ice",
        "whole",
        "wheat",
        "total",
        "math",
        "science",
        "school",
        "tennis",
        "soccer",
        "hockey",
        "baseball",
        "basketball",
        "football",
        "teddy",
        "birthday",
        "apple",
        "orange",
        "first",
        "second",
        "third",
        "working",
        "business",
    ]
) - {"first", "second", "third", "negative"}
"""They tell one thing from another: `4 red balls` are not `4 blue balls`."""
CHANGING = frozenset(
    [
        "or",
        "and",
        "not",
        "no",
        "never",
        "none",
        "nor",
        "neither",
        "either",
        "to",
        "more",
        "less",
        "than",
        "least",
        "most",
        "about",
        "over",
        "plus",
        "minus",
        "times",
        "by",
        "below",
        "above",
        "under",
        "up",
        "few",
        "fewer",
        "many",
        "much",
        "short",
        "extra",
        "left",
        "half",
        "halves",
        "third",
        "thirds",
        "quarter",
        "quarters",
        "fourth",
        "fourths",
        "fifth",
        "fifths",
        "sixth",
        "sixths",
        "eighth",
        "tenth",
        "tenths",
        "hundredth",
        "hundredths",
        "pair",
        "pairs",
        "couple",
        "couples",
        "dozen",
        "dozens",
        "score",
        "scores",
        "gross",
        "grand",
        "hundred",
        "hundreds",
        "thousand",
        "thousands",
        "million",
        "millions",
        "billion",
        "billions",
        "trillion",
        "lakh",
        "crore",
        "double",
        "triple",
        "twice",
        "squared",
        "cubed",
        "square",
        "cubic",
        "root",
        "power",
        "percent",
        "percentage",
        "wrong",
        "incorrect",
        "false",
        "except",
        "without",
        "missing",
        "too",
        "rather",
        "only",
        "almost",
        "nearly",
        "approximately",
        "around",
        "between",
        "but",
        "if",
        "is",
        "isn't",
        "are",
        "aren't",
        "was",
        "wasn't",
        "be",
        "been",
        "it",
        "i",
        "think",
        "maybe",
        "perhaps",
        "possibly",
        "remainder",
        "mod",
        "modulo",
        "base",
        "factorial",
        "all",
        "every",
        "each",
        "another",
        "other",
        "others",
        "trio",
        "trios",
        "quartet",
        "quintet",
        "brace",
        "gross",
        "myriad",
        "ten",
        "tens",
        "thirteenth",
        "divided",
        "multiplied",
        "added",
        "into",
        "out",
        "off",
        "of",
        "from",
        "for",
        "with",
        "at",
        "in",
        "on",
        "as",
        "per",
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "there",
        "so",
        "then",
        "thus",
    ]
)
"""Words that may change a number: never what is counted, whatever a question says."""


def singular(word: str) -> str:
    """One spelling for one and for many: `boxes` as `box`, `children` as `child`."""
    if word in PLURALS:
        return PLURALS[word]
    for ending, least, instead in (
        ("ies", 5, "y"),
        ("ches", 5, "ch"),
        ("shes", 5, "sh"),
        ("xes", 4, "x"),
        ("sses", 5, "ss"),
        ("oes", 4, "o"),
    ):
        if word.endswith(ending) and len(word) >= least:
            return word[: -len(ending)] + instead
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def counted(words: list[str], asked: frozenset[str] = frozenset()) -> str | None:
    """One spelling of what is counted, `12 red apples` or `3 bags of rice`; `asked` are words of the question."""
    if not 0 < len(words) <= 6 or not all(word.replace("-", "").replace("'", "").isalpha() for word in words):
        return None
    head, of, rest = " ".join(words).partition(" of ")
    if of:
        parts = (
            counted(head.split(), asked),
            counted(
                rest.split(),
                asked | {"water", "milk", "rice", "sugar", "flour", "sand", "oil", "juice", "land"},
            ),
        )
        return None if None in parts else " of ".join(map(str, parts))
    one = [singular(word) for word in words]
    if not _thing(one[-1], words[-1], asked) or not all(
        before in QUALITIES or _thing(before, said, asked)
        for before, said in zip(one[:-1], words[:-1], strict=True)
    ):
        return None
    return " ".join(one)


def _thing(one: str, said: str, asked: frozenset[str]) -> bool:
    known = one in THINGS or one in asked or said in asked
    return known and said not in CHANGING and one not in CHANGING


def words_of(question: str) -> frozenset[str]:
    """The words of a question that could be what it counts, each also in the singular."""
    return _words_of(question[:4000])


@lru_cache(maxsize=64)  # the responses to a question follow each other
def _words_of(question: str) -> frozenset[str]:
    words = {word.strip(".,?!:;()'\"").lower() for word in question.split()}
    found = {word for word in words if len(word) > 2 and word.isalpha()} - CHANGING
    return frozenset(found | {singular(word) for word in found})
