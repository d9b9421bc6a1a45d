package torii_test

import (
	"fmt"
	"os"
	"testing"

	"libtorii.internal/go/toriitest"
)

// local is the local torii that TestMain starts.
var local *toriitest.Torii

func TestMain(m *testing.M) {
	if os.Getenv("TORII_TEST_OTHER_ABI") != "" || os.Getenv("TORII_TEST_KEY_CACHE") != "" {
		os.Exit(m.Run()) // see TestABI and TestKeyCache
	}
	var err error
	if local, err = toriitest.New(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	status := m.Run()
	if err := local.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 2
	}
	os.Exit(status)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// tell says something to the control API, and decodes its answer.
func tell[T any](t testing.TB, method, path, body string) T {
	t.Helper()
	var answer T
	local.Control(t, method, path, body, &answer)
	return answer
}

var environments int

// newEnvironment makes one of the test's own.
func newEnvironment(t testing.TB) *toriitest.Environment {
	t.Helper()
	environments++
	return local.NewEnvironment(t, fmt.Sprintf("issuer-%d", environments))
}

// keyRequests returns the number of requests for the keys of an environment.
func keyRequests(t testing.TB, environment *toriitest.Environment) int {
	t.Helper()
	return tell[struct{ Total int }](t, "GET", "/requests?path=/"+environment.Name+"/", "").Total
}
