"""What the model reads of a free text: its words, and how long it is.

Plain Python for the pipeline and the service alike, so that both find the same words: two libraries
agree neither on what a letter is nor on its small form.
"""

import re
import unicodedata

# What a longer text says after so many words is not read: the size of a request bounds no column.
MOST_WORDS = 1000
WORD = re.compile(r"\w\w+")


def write_words(text: str) -> str:
    """Write the words of a text, of two letters or digits at least, in small letters, with a blank
    between two.

    Letters that look alike and are written in several ways (é) become one (Unicode, NFKC).
    """
    words = WORD.finditer(unicodedata.normalize("NFKC", text).lower())
    return " ".join(word[0] for word, _ in zip(words, range(MOST_WORDS), strict=False))
