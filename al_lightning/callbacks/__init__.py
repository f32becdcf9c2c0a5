"""What watches a run: query sheets, TensorBoard, the console, the summary."""

from al_lightning.callbacks.loop_callback import LoopCallback, QueryResult, RoundResult

__all__ = ["LoopCallback", "QueryResult", "RoundResult"]
