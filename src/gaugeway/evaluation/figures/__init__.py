"""The kinds of figures that column evaluators give: each knows its aggregates, its interval and how two compare."""
