# Copyright 2026 The vla_accel_ros developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""What a user would otherwise run: transformers' Llama with its own cache, on the same weights.

As the original OpenVLA does it: towers and projector, then `generate` from the embedded sequence;
of a model with slots one forward pass that sees everything. transformers is needed for this alone.
"""

from __future__ import annotations

from collections.abc import Callable
import time

import torch
from torch import Tensor

from vla_accel_ros.layers.shapes import DecoderConfig
from vla_accel_ros.models.action_reader import ActionReader
from vla_accel_ros.models.cost.workload import Workload
from vla_accel_ros.models.families import registry
from vla_accel_ros.models.heads.slot_head import SlotHead
from vla_accel_ros.models.heads.token_head import TokenHead
from vla_accel_ros.models.prediction import Prediction
from vla_accel_ros.models.preprocess import Preprocessor
from vla_accel_ros.models.proprio import Proprioception
from vla_accel_ros.models.stopwatch import Stopwatch, clock_of
from vla_accel_ros.models.vla import VLA
from vla_accel_ros.observations import Observation

ATTENTION = 'sdpa'


def _config(shape: DecoderConfig):
    from transformers import LlamaConfig

    return LlamaConfig(
        hidden_size=shape.width,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        vocab_size=shape.vocab,
        rms_norm_eps=shape.rms_eps,
        max_position_embeddings=shape.max_positions,
        rope_parameters={'rope_type': 'default', 'rope_theta': shape.rope_theta},
        attn_implementation=ATTENTION,
        tie_word_embeddings=False,
        # An answer has its full length whatever the tokens are.
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
    )


def share_language_model(model: VLA):
    """Make transformers' Llama on the memory of our language model's weights.

    Raises:
        ModuleNotFoundError: When transformers is not installed.
        RuntimeError: When the two do not have the same tensors.
    """
    from transformers import LlamaForCausalLM

    config = _config(model.config.decoder)
    # A single-pass model sees everything; said so, no mask is made, and attention stays fused.
    config.is_causal = not model.config.head.single_pass
    with torch.device('meta'):
        llama = LlamaForCausalLM(config)
    ours = model.language_model.state_dict()
    llama.load_state_dict(ours, assign=True, strict=True)
    # Frequencies are no part of the state; made on `meta` they have no values.
    llama.model.rotary_emb = type(llama.model.rotary_emb)(config).to(model.device)
    for name, weight in llama.state_dict().items():
        if weight.data_ptr() != ours[name].data_ptr():
            raise RuntimeError(f'{name} is a copy: the weights are not the same')
    return llama.eval().requires_grad_(False)


class PlainPolicy:
    """Answers as `Policy.predict` does, by transformers' own means.

    Args:
        model: Whose towers, projector and weights are used.
        encode: From an instruction to token ids.
        unnorm_key: Data set whose statistics hold.

    Raises:
        ModuleNotFoundError: When transformers is not installed.
        ValueError: When transformers has nothing like the model's head.
    """

    def __init__(
        self, model: VLA, encode: Callable[[str], list[int]], unnorm_key: str | None = None
    ) -> None:
        self.model, self._encode = model, encode
        config = model.config
        self._llama = share_language_model(model)
        self._reader = ActionReader(config, unnorm_key)
        self._head = registry.of(config).head(model, self._reader.statistics)
        if not isinstance(self._head, TokenHead | SlotHead):
            raise ValueError(
                f'transformers has nothing like a {type(self._head).__name__}, expected a head of '
                'tokens or slots: leave transformers out of the methods'
            )
        self._preprocess = Preprocessor(config)
        self._proprio = Proprioception(config, self._reader.key) if config.proprio else None

    @torch.inference_mode()
    def predict(self, observation: Observation) -> Prediction:
        """Answer one observation; see `Policy.predict`."""
        model, config = self.model, self.model.config
        watch, start = Stopwatch(clock_of(model.device)), time.perf_counter()
        with watch('preprocess'):
            ids = torch.tensor([self._encode(observation.instruction)], device=model.device)
            pixels = self._on_device(self._preprocess(observation.images))
            proprio = None
            if self._proprio:
                proprio = self._on_device(self._proprio(observation.proprio)[None])
        with watch('towers'):
            features = model.tower_features(pixels, model.language(ids))
        with watch('projector'):
            visual = model.project(features)
        further = config.passes
        if isinstance(self._head, SlotHead):
            found = (self._chunk(model.embed_chunk(ids, visual, proprio), watch)[0],)
        else:
            x = model.embed_prompt(ids, visual)
            found = self._generate(x, 1 + len(further), watch)
        with watch('detokenise'):
            actions, tokens = self._head.read(*found)
            values = self._reader(actions)
        took = (time.perf_counter() - start) * 1e3
        total = config.visual_tokens
        seen = (total,) * config.decoder.layers
        work = Workload(ids.shape[1], seen, passes=further)
        return Prediction(
            values,
            tokens,
            watch.ms() | {'total': took},
            total,
            torch.arange(total).numpy(),
            seen,
            'keep_all',
            1 + len(further),
            0,
            work,
        )

    def _on_device(self, values) -> Tensor:
        return torch.from_numpy(values).to(self.model.device, self.model.dtype)

    def _generate(self, x: Tensor, count: int, watch: Stopwatch) -> tuple[Tensor, Tensor]:
        """Generate tokens [count] and their logits from x [1, S, width]."""
        peaks: list[Tensor] = []
        decoding = watch('decode')

        def note(ids: Tensor, logits: Tensor) -> Tensor:
            # Called with the logits of each token: at the first one the prefill is over.
            if not peaks:
                decoding.__enter__()
            peaks.append(logits.max(-1).values)
            return logits

        with watch('prefill'):
            tokens = self._llama.generate(
                inputs_embeds=x,
                attention_mask=x.new_ones(x.shape[:2], dtype=torch.long),
                max_new_tokens=count,
                do_sample=False,
                use_cache=True,
                logits_processor=[note],
            )
            decoding.__exit__(None, None, None)
        return tokens[0], torch.cat(peaks)

    def _chunk(self, x: Tensor, watch: Stopwatch) -> Tensor:
        """Run the sequence x [1, S, width] of a single-pass model and read it out."""
        with watch('prefill'):
            hidden = self._llama.model(
                inputs_embeds=x, is_causal=False, use_cache=False
            ).last_hidden_state
        with watch('decode'):
            return self.model.read_out(hidden[:, self.model.rows])
