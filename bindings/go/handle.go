package torii

// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"
)

// ErrClosed is the error of every call on a [Verifier] or [Client] that was closed.
var ErrClosed = errors.New("torii: use after Close")

// closed is the bit of handle.state for a closed handle; the others count the calls under way.
const closed = math.MinInt64

// A handle frees what it guards once it is closed and the last call on it has ended.
type handle struct {
	state atomic.Int64
	free  func()
}

func (h *handle) acquire() bool {
	for {
		state := h.state.Load()
		if state < 0 {
			return false
		}
		if h.state.CompareAndSwap(state, state+1) {
			return true
		}
	}
}

func (h *handle) release() {
	if h.state.Add(-1) == closed {
		h.free()
	}
}

func (h *handle) close() {
	if h.state.Or(closed) == 0 {
		h.free()
	}
}

// await runs f, but not longer than the context allows. C has no cancellation: an abandoned call ends
// at its own timeout, and its result is dropped.
func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	if ctx.Done() == nil {
		return f()
	}
	done := make(chan result, 1)
	go func() {
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, contextError(ctx)
	}
}

func contextError(ctx context.Context) error {
	return fmt.Errorf("torii: %w", ctx.Err())
}

// text lends a string to C for the length of a call.
func text(s string) (*C.char, C.size_t) {
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}

// copied returns a text of C as a string; NULL is "".
func copied(p *C.char, n C.size_t) string {
	return string(unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n)))
}

// Version returns the version of the loaded library, such as "0.1.0".
func Version() string {
	return C.GoString(C.torii_version())
}

// checkABI refuses a library of another ABI than the package was compiled for.
func checkABI() error {
	if loaded := C.torii_abi_version(); loaded != C.TORII_ABI_VERSION {
		return fmt.Errorf("torii: libtorii %s: has ABI %d (expected ABI %d); install the libtorii the program was compiled with, or recompile it",
			Version(), loaded, C.TORII_ABI_VERSION)
	}
	return nil
}
