//go:build torii_static

package torii

// #cgo pkg-config: --static torii
// #cgo LDFLAGS: -Wl,--as-needed -l:libtorii.a
import "C"

// The archive leaves nothing for the shared library of the same name to resolve, and --as-needed then
// leaves that out.
