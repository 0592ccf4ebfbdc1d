"""The words of the trade, one line each: shown as help where a word stands, and together on Start."""

GLOSSARY = {
    "Response": "One answer that a model gave to a question, with its working.",
    "Attempt": "A response shown inside a trace: one try at the question.",
    "Reflection": "The model's own critique of a response; also called a critique.",
    "Verdict": "What a reflection says of its response: right or wrong.",
    "Label": "Whether a response really is right. It comes with the data or from grading.",
    "Trace": "What the model will learn to write: attempts, reflections on them, and a final answer.",
    "N": "The most attempts that a trace shows, and the usable responses that a question needs.",
    "Prompt variant": "Which wording of the prompt a response came from. Variety helps, so the paper uses four.",
    "Glue": "A short phrase between two attempts, such as a change of mind.",
    "Final answer": "What the trace ends with: the answer of its last right attempt.",
    "Pass rate": "The share of a question's responses that are right.",
    "Config": "A named part of a Hub data set; also called subset.",
    "Split": "A part of a data set for one purpose: train, test, validation.",
    "Revision": "A version of a Hub data set; the commit that it had when it was read.",
    "Cut-off": "The length at which a trainer cuts a trace. What is cut is its end, where the answer stands.",
    "Token": "A piece of a word, the unit in which models count length: about 3.5 characters.",
    "Recipe": "All the choices that make a data set, as one small file. The same recipe gives the same traces.",
}


def line(word: str) -> str:
    """The help of a word."""
    return GLOSSARY[word]
