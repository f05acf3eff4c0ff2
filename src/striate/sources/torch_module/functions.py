"""What is known of torch's functions by their names alone."""

from __future__ import annotations

__all__ = ["FACTORIES", "MIXING", "MOVES", "MOVING_KINDS", "OPERATORS", "QUESTIONS", "SILENT", "WITHOUT_PRODUCTS"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Calls that ask for no number and make no tensor: they go through at once.
SILENT = _words(
    """
    dim size numel nelement ndimension stride storage_offset is_floating_point is_complex element_size
    is_contiguous get_device __len__ is_signed is_inference result_type broadcast_shapes _set_grad_enabled
    set_grad_enabled __hash__ is_nonzero_ __repr__ __format__ is_same_size is_shared data_ptr type_ has_names
    is_tensor is_grad_enabled finfo iinfo requires_grad_ untyped_storage __reduce_ex__ is_pinned register_hook
    retain_grad set_num_threads manual_seed get_default_dtype _has_compatible_shallow_copy_type is_neg is_conj
    """
)

#: Calls whose answer is a number or truth value out of a tensor.
QUESTIONS = _words(
    """
    __bool__ __int__ __float__ __index__ __complex__ item tolist numpy __array__ is_nonzero equal allclose
    nonzero argwhere unique unique_consecutive masked_select __contains__ _local_scalar_dense bincount
    nonzero_static to_list __dlpack__ repeat_interleave_ histc
    """
)

#: Calls that make a tensor of numbers that are not in another one.
FACTORIES = _words(
    """
    zeros ones empty full rand randn randint randperm arange range linspace logspace eye tensor as_tensor
    zeros_like ones_like empty_like full_like rand_like randn_like randint_like new_zeros new_ones new_empty
    new_full new_tensor tril_indices triu_indices hann_window hamming_window blackman_window bartlett_window
    kaiser_window scalar_tensor empty_strided new_empty_strided from_numpy normal
    """
)

#: Calls that take the batch apart when no axis of it is left.
MIXING = _words(
    """
    view reshape __getitem__ select unbind split chunk squeeze flatten unflatten permute narrow index_select
    __iter__ tensor_split transpose view_as reshape_as resize take
    """
)

#: Operations that move numbers, by the name that follows ``aten.``.
MOVES = _words(
    """
    cat stack clone index index_select gather roll flip repeat constant_pad_nd pad copy copy_ slice_scatter
    select_scatter slice_backward new_empty new_zeros new_ones empty zeros ones full arange empty_like
    zeros_like ones_like _to_copy reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
    replication_pad2d replication_pad3d im2col col2im unfold index_put index_put_ scatter scatter_ fill fill_
    zero_ _reshape_alias pixel_shuffle pixel_unshuffle channel_shuffle tril triu masked_fill masked_fill_
    scalar_tensor lift_fresh embedding _unsafe_view detach lift_fresh_copy empty_strided alias contiguous
    """
)

#: Operations without a matrix product in them: reductions, comparisons, sorting, interpolation, normalisation.
WITHOUT_PRODUCTS = _words(
    """
    sum mean var var_mean std std_mean amax amin max min argmax argmin prod norm linalg_vector_norm logsumexp
    cumsum cumprod cummax cummin _softmax _log_softmax sort topk kthvalue median any all count_nonzero
    _safe_softmax max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d avg_pool3d
    adaptive_max_pool2d adaptive_max_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool1d
    fractional_max_pool2d fractional_max_pool3d max_unpool2d max_unpool3d upsample_nearest1d upsample_nearest2d
    upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d _upsample_nearest_exact3d
    upsample_bilinear2d upsample_linear1d upsample_trilinear3d upsample_bicubic2d _upsample_bilinear2d_aa
    _upsample_bicubic2d_aa grid_sampler_2d grid_sampler_3d native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training native_layer_norm native_group_norm _native_batch_norm_legit_functional
    native_dropout bernoulli bernoulli_ rand_like randn_like uniform_ normal_ random_ one_hot where renorm
    nll_loss_forward cudnn_batch_norm _prelu_kernel glu searchsorted bucketize isin max_pool2d _fused_rms_norm
    rms_norm
    """
)

#: Operators that Python writes with signs.
OPERATORS = frozenset(
    f"__{name}__" for name in _words("add sub mul truediv div pow floordiv mod matmul and or xor lshift rshift")
)

#: Layers that take numbers of every type: they move, add or multiply them.
MOVING_KINDS = _words("slice concat pad crop channelpad channelshuffle pixelshuffle identity flatten add multiply")
