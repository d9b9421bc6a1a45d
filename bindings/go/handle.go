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

// closed is the bit of handle.state that says so; the others count the calls under way.
const closed = math.MinInt64

// A handle frees what it guards when it is closed and the last call on it has ended: exactly once,
// and never under somebody's feet.
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

// await runs f, but not longer than the context allows. C knows no cancellation: what is given up
// ends by itself, at its own timeout, and its result is dropped.
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

// copied is text of C's as a string; NULL is "".
func copied(p *C.char, n C.size_t) string {
	return string(unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n)))
}

// Version is the release of the libtorii that is loaded, as in "0.1.0".
func Version() string {
	return C.GoString(C.torii_version())
}

// checkABI refuses a library that is not the one this package was compiled for.
func checkABI() error {
	if loaded := C.torii_abi_version(); loaded != C.TORII_ABI_VERSION {
		return fmt.Errorf("torii: the libtorii that is loaded (release %s) has ABI %d, this program was compiled for ABI %d: install the libtorii it was compiled with, or compile it again",
			Version(), loaded, C.TORII_ABI_VERSION)
	}
	return nil
}
