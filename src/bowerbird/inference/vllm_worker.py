"""What vLLM's worker lacks for us. A server of vLLM's takes it as `--worker-extension-cls
bowerbird.inference.vllm_worker.Worker`."""

from typing import Any


class Worker:
    """Mixed into vLLM's own worker."""

    get_model: Any

    def repack_head(self) -> None:
        """An output layer that is the embedding has no weights of its own to reload: vLLM leaves it as it was prepared
        before, and on a CPU that is a packed copy of the old ones."""
        head = getattr(self.get_model(), "lm_head", None)
        if head is not None:
            head.quant_method.process_weights_after_loading(head)
