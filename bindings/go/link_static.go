//go:build torii_static

package torii

// #cgo pkg-config: --static torii
// #cgo !darwin LDFLAGS: -Wl,--as-needed -l:libtorii.a
// #cgo windows CFLAGS: -DTORII_STATIC
import "C"

import "os"

// The archive resolves every symbol, and --as-needed then omits the shared library of the same name. The linker of
// macOS takes no file name after -l: there, the folder must contain no libtorii.dylib.

// LibraryPath returns the path of the program, which contains the library. It returns "" if the system does not say.
func LibraryPath() string {
	path, _ := os.Executable()
	return path
}
