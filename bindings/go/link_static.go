//go:build torii_static

package torii

// #cgo pkg-config: --static torii
// #cgo !darwin LDFLAGS: -Wl,--as-needed -l:libtorii.a
// #cgo windows CFLAGS: -DTORII_STATIC
import "C"

// The archive resolves every symbol, and --as-needed then omits the shared library of the same name. The linker of
// macOS takes no file name after -l: there, the folder must contain no libtorii.dylib.
