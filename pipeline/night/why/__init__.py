"""Why a document waits, or how it ended: found by its id, decided from facts, said in one sentence."""
