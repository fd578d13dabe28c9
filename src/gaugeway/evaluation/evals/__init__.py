"""OpenAI's Evals at home: items bring an answer or a model gives one, and graders grade it (docs/evals.md)."""
