"""From a log's bodies to who said what, whichever API they were in. Begin reading at reading.py.

Formats are told by the shape of the documents, not by the path: custom providers speak them too. What came from
strangers is only ever data here: nothing raises, and what cannot be read says why.
"""

from gaugeway.evaluation.conversations.reading import read_conversation as read_conversation
