"""Ask a trained model: chat or raw completions, budget forcing, on the job machinery of `generate`; compare a suite's arms."""
