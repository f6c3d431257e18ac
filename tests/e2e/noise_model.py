"""A tiny llama model of random weights: it answers any prompt with ASCII noise, and knows nothing.

A token is one character. The weights are random but for two places: hidden dimension 0 stays
constant through all layers, and the output layer turns it into a prior over characters, so that
strings end, lists end and no raw bytes come out. A grammar does the rest.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from gguf import GGUFWriter, TokenType

CONTEXT = 32768

_LAYERS, _DIM, _HEADS, _FEED_FORWARD = 2, 64, 4, 128
_SPECIAL = (b"<unk>", b"<s>", b"</s>")
_CHARACTERS = tuple(chr(code) for code in range(32, 127))
_FIRST_CHARACTER = len(_SPECIAL) + 256
_VOCABULARY = _FIRST_CHARACTER + len(_CHARACTERS)
_BOS, _EOS = 1, 2

# Logits before the noise. Quotes and brackets close soon and lists rarely go on, so answers stay
# short. Day 29 and later are never written: grammars know dates by their digits alone, and would
# let 31 November pass. The end of the text is likeliest of all, where the grammar allows it.
_PRIOR = {" ": -1.9, '"': -2.8, "{": -2.2, "]": -5.0, ",": -7.0, "3": -14.0, "9": -14.0, "\\": -14.0}
_PRIOR_LOWER, _PRIOR_OTHER, _PRIOR_BYTE = -3.0, -4.6, -30.0
_NOISE = 0.15
_CHAT = (
    "{% for message in messages %}[{{ message['role'] }}] {{ message['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)

_Weights = npt.NDArray[np.float32]


def write_noise_model(path: Path, seed: int) -> Path:
    """Write the model of this weight seed as a GGUF file: the same seed gives the same weights."""
    writer = GGUFWriter(path, "llama")
    _describe(writer)
    _tokens(writer)
    for name, weights in _tensors(np.random.default_rng(seed)).items():
        writer.add_tensor(name, np.ascontiguousarray(weights, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def token(character: str) -> int:
    """The id of a printable ASCII character."""
    return _FIRST_CHARACTER + _CHARACTERS.index(character)


def _describe(writer: GGUFWriter) -> None:
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(_DIM)
    writer.add_block_count(_LAYERS)
    writer.add_feed_forward_length(_FEED_FORWARD)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_rope_dimension_count(_DIM // _HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(_VOCABULARY)
    writer.add_chat_template(_CHAT)


def _tokens(writer: GGUFWriter) -> None:
    """Each printable ASCII character is a token; anything else is spelled in bytes."""
    names = [*_SPECIAL, *(b"<0x%02X>" % byte for byte in range(256))]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL] + [TokenType.BYTE] * 256
    names += ["\u2581".encode() if character == " " else character.encode() for character in _CHARACTERS]
    kinds += [TokenType.NORMAL] * len(_CHARACTERS)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(names)
    writer.add_token_scores([0.0] * _FIRST_CHARACTER + [-1.0 - rank for rank in range(len(_CHARACTERS))])
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(_BOS)
    writer.add_eos_token_id(_EOS)
    writer.add_add_space_prefix(False)


def _tensors(rng: np.random.Generator) -> dict[str, _Weights]:
    def random(*shape: int, scale: float = 0.1) -> _Weights:
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    def writing(*shape: int) -> _Weights:
        """Weights that add to the hidden state, but never to dimension 0."""
        weights = random(*shape)
        weights[0] = 0.0
        return weights

    ones = np.ones(_DIM, np.float32)
    embedding = random(_VOCABULARY, _DIM, scale=1.0)
    embedding[:, 0] = np.sqrt(_DIM)
    tensors = {"token_embd.weight": embedding, "output_norm.weight": ones}
    for layer in range(_LAYERS):
        block = f"blk.{layer}"
        tensors[f"{block}.attn_norm.weight"] = ones
        tensors[f"{block}.attn_q.weight"] = random(_DIM, _DIM)
        tensors[f"{block}.attn_k.weight"] = random(_DIM, _DIM)
        tensors[f"{block}.attn_v.weight"] = random(_DIM, _DIM)
        tensors[f"{block}.attn_output.weight"] = writing(_DIM, _DIM)
        tensors[f"{block}.ffn_norm.weight"] = ones
        tensors[f"{block}.ffn_gate.weight"] = random(_FEED_FORWARD, _DIM)
        tensors[f"{block}.ffn_up.weight"] = random(_FEED_FORWARD, _DIM)
        tensors[f"{block}.ffn_down.weight"] = writing(_DIM, _FEED_FORWARD)
    output = random(_VOCABULARY, _DIM, scale=_NOISE)
    # After the last norm dimension 0 holds about this: its own square, and about 1.3 from each of the others.
    constant = np.sqrt(_DIM) / np.sqrt((_DIM + 1.3 * (_DIM - 1)) / _DIM)
    output[:, 0] = _prior() / constant
    tensors["output.weight"] = output
    return tensors


def _prior() -> _Weights:
    prior = np.full(_VOCABULARY, _PRIOR_BYTE, np.float32)
    for character in _CHARACTERS:
        usual = _PRIOR_LOWER if character.islower() else _PRIOR_OTHER
        prior[token(character)] = _PRIOR.get(character, usual)
    prior[_EOS] = 0.0
    return prior
