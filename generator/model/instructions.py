"""What a chat model is told to write: for each direction the task, the order of the parts, and one example; then, of a
text that it is given as its own, the description.

The example was written for this project and is public domain (CC0). Gate G3 knows it, so a draft that copies it is
refused.
"""

from generator.record.layouts import DIRECTIONS, Direction, write_layout

_PARTS: dict[Direction, str] = {
    "top-down": "First the title, then the abstract of two or three sentences, then three to five claims.",
    "bottom-up": "First three to five claims, then the abstract of two or three sentences, then the title.",
}
_TASK = (
    "Write one new invention as a patent in plain English, of any field of technology. {parts} Claim 1 is one sentence "
    'that names a thing or a method, "comprising", and its parts or steps. Each further claim begins with "The ... of '
    'claim 1" and adds one thing. Use the words of claim 1 in all parts. Write nothing else, no remarks and no other '
    "headings. Do not write about the subject of this example, whose form you keep exactly:\n\n{example}"
)
_TITLE = "Watering can with a removable filter"
_ABSTRACT = (
    "A watering can has a body, a spout and a filter. A threaded ring holds the filter in the spout, so that the "
    "filter can be removed and cleaned without a tool."
)
_CLAIMS = (
    "A watering can, comprising: a body for holding water; a spout connected to the body; a filter arranged in the "
    "spout; and a threaded ring that holds the filter in the spout.",
    "The watering can of claim 1, wherein the filter is a mesh of stainless steel.",
    "The watering can of claim 1, wherein the threaded ring has a grip for turning the threaded ring by hand.",
)

INSTRUCTIONS: dict[Direction, str] = {
    direction: _TASK.format(parts=_PARTS[direction], example=write_layout(direction, _TITLE, _ABSTRACT, _CLAIMS))
    for direction in DIRECTIONS
}

DESCRIBE = (
    "Now write the detailed description of this invention, so that a skilled person can make and use it: three to six "
    "paragraphs of plain sentences. Say of each part or step of claim 1 how it can be made or done, how it works with "
    "the others, and name one example of it. Do not repeat the claims, and use no headings and no lists."
)
