"""How near the answer's meaning is to the expected answer's, by an embedding model."""

from __future__ import annotations

from collections.abc import Sequence

from gaugeway.core.embeddings import EmbeddingScorer, Vector
from gaugeway.core.judging import JudgeFailed
from gaugeway.core.samples import ItemEvaluator, NotApplicable, Sample, Score
from gaugeway.evaluation.expected import ExpectedKey, ExpectedText, find_expected
from gaugeway.evaluation.prompts import MAX_MATERIAL
from gaugeway.evaluation.statistics.cosine import cosine


class EmbeddingSimilarity(EmbeddingScorer, frozen=True, kw_only=True):
    """The cosine of the two texts' embeddings."""

    expected: ExpectedText = None
    expected_key: ExpectedKey = "expected"

    def texts(self, sample: Sample) -> Sequence[str]:
        """The answer and the expected one."""
        told = {"answer": sample.text, "expected answer": find_expected(sample, self.expected_key, self.expected)}
        for name, text in told.items():
            if not text.strip():
                raise NotApplicable(f"the {name} is empty, and an empty text has no embedding")
            if len(text) > MAX_MATERIAL:
                raise NotApplicable(f"the {name} has more than {MAX_MATERIAL} characters")
        return list(told.values())

    def conclude(self, vectors: Sequence[Vector]) -> Score:
        """The cosine."""
        try:
            return Score(cosine(*vectors))
        except ValueError as problem:
            raise JudgeFailed(f"the embeddings have no cosine: {problem}") from problem


EVALUATOR = ItemEvaluator(
    id="embedding_similarity",
    name="Embedding similarity",
    version="1",
    type="embedding",
    description="How near the answer's meaning is to the expected answer's by an embedding model: the cosine of"
    " their embeddings, from -1 to 1, on average. Higher is better.",
    unit="cosine",
    scorer=EmbeddingSimilarity,
)
