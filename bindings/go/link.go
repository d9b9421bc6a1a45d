//go:build !torii_static

package torii

/*
#cgo pkg-config: torii
#cgo linux CFLAGS: -D_GNU_SOURCE
#cgo linux LDFLAGS: -ldl
#ifdef _WIN32
static const char *library_path(void) { return 0; }
#else
#include <dlfcn.h>
static const char *library_path(void)
{
	Dl_info found;
	void *function = dlsym(RTLD_DEFAULT, "torii_version");
	return function && dladdr(function, &found) ? found.dli_fname : 0;
}
#endif
*/
import "C"

// LibraryPath returns the path of the loaded library, as the dynamic linker found it; or the path of the program, if
// the library is part of it (the build tag torii_static). It returns "" if the system does not say.
func LibraryPath() string {
	return C.GoString(C.library_path())
}
