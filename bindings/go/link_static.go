//go:build torii_static

package torii

// #cgo pkg-config: --static torii
// #cgo LDFLAGS: -Wl,--as-needed -l:libtorii.a
import "C"

// The archive resolves every symbol, and --as-needed then omits the shared library of the same name.
