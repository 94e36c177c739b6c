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

"""Names of the command line that its help must know before torch is imported."""

# The engine that the others are held against.
EAGER = 'eager'
# transformers' Llama with its own cache, as a user would otherwise run it.
PLAIN = 'transformers'
# Random models of a size for the CPU, and the layer after which methods drop in them that drop
# within the decoder: scaled from a model of 32 layers it would be the very first.
MIDS, MID_LAYER = ('mid', 'cogact-mid', 'pi0-mid', 'pi05-mid', 'smolvla-mid'), 2
# Published sizes, with the weights of a folder or random ones.
FULL_SIZES = (
    'openvla-7b, openvla-7b-oft, cogact-small, cogact-base, cogact-large, pi0, pi05, smolvla'
)
# In the language of `acceleration.grammar`.
METHODS = (
    'none,random,random@place=before_llm,random@place=after_layer,fastv,vla_pruner,specprune,'
    'sp_vla_pruning'
)
KEEPS = 'own,0.5,0.25'
DECODERS = 'greedy,verify,jacobi@draft=previous'
