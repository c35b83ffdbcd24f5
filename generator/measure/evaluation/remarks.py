"""What must be known to read each table of the task `drafting`."""

LOSS = (
    "Bits a character compare models of any tokenizer; nats a token do not. Examples in a prompt and the opening of "
    "the layout are read and not counted. As drafted: the first six claims. Lengths are in tokens of the model's own "
    "tokenizer: 1k is up to 1,024, 2k up to 2,048, 4k up to 4,096. A text that does not fit is counted, never cut."
)
CHOICE = (
    "The right one of four, the others of other patents: chance is 25 %. Top-down: the model reads the same claims "
    "after four titles and abstracts; right when their own makes them likeliest. Bottom-up: the same title and "
    "abstract after four sets of claims. Next claim: by the mean log-likelihood of its tokens after all before it. "
    "Gain: by how many nats a token the right one is likelier than the mean of the others; it tells models apart where "
    "all are right."
)
LADDER = "Share of drafts that pass each gate and all before it, with its 95 % interval (Wilson)."
COST = (
    "Writing and judging, without opening the model. Distinct: no near repeat of an earlier accepted one. Memory: the "
    "most that the whole process held."
)
LENGTH = (
    "Writing: four texts at a time up to that length, as no end token ends them. Reading: the whole known patents of "
    "that length in both layouts, one at a time. Memory: the most that the whole process held. On a "
    "busy machine compare CPU seconds, not words and tokens a second."
)
REPEAT = (
    "Refused: texts whose first fault is a loop (C11). rep-4: 4-word sequences that stood in the same text before, the "
    "mean of all. Patents must repeat terms: compare with the held-out ones, cut to six claims. "
    "3-grams are of as many texts in every row, so that these shares compare."
)
MEMORY = (
    "Sequences of 13 words, and runs of 25 words or more, that stand in the training data. Compare with the held-out "
    "patents, cut to six claims. Training data given with --known: {} documents."
)
OWN = (
    " Another {} are held-out patents themselves and were left out here. If the model was trained on them, no figure "
    "of held-out patents is one."
)
