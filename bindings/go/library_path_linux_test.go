package torii_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	torii "libtorii.internal/go"
)

// The path is that of a file mapped into the process: the library, or the program that contains it.
func TestLibraryPath(t *testing.T) {
	path := torii.LibraryPath()
	if isLibrary := strings.Contains(filepath.Base(path), "libtorii.so"); isLibrary == isStatic {
		t.Errorf("the path is %q, with torii_static %v", path, isStatic)
	}
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(path) || !strings.Contains(string(maps), " "+file+"\n") {
		t.Errorf("%s (%s) is not mapped into this process", path, file)
	}
}
