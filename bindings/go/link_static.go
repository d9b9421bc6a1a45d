//go:build torii_static

package torii

// #cgo pkg-config: --static torii
// #cgo LDFLAGS: -Wl,--as-needed -l:libtorii.a
import "C"

import "os"

// The archive resolves every symbol, and --as-needed then omits the shared library of the same name.

// LibraryPath returns the path of the program, which contains the library. It returns "" if the system does not say.
func LibraryPath() string {
	path, _ := os.Executable()
	return path
}
