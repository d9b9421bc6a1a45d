// Package toriitest runs a local torii for the tests of your application: real tokens, users and key
// faults, no network.
//
//	func TestMe(t *testing.T) {
//		local := toriitest.Start(t)
//		verifier := local.Verifier(t)
//		token := local.Token(t, map[string]any{"sub": "user-1", "email_verified": true})
//		…
//	}
//
// It runs the program torii-emulator, which ends with the test binary. TORII_EMULATOR names the
// program; otherwise it is found beside the loaded libtorii, or in PATH.
//
// Faults are those of the whole local torii, and keys are kept by the whole process: tests that inject
// faults cannot run in parallel.
package toriitest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	torii "libtorii.internal/go"
)

// Torii is a running local torii, with its environment "acme".
type Torii struct {
	*Environment
	// URL is the base URL of the API.
	URL string
	// PID is the process id of the program.
	PID int

	program *exec.Cmd
	stdin   io.Closer
	client  *torii.Client
}

// Start starts a local torii that is stopped when the test ends.
func Start(t testing.TB) *Torii {
	t.Helper()
	local, err := New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	return local
}

// New starts a local torii for several tests, for example in TestMain.
func New() (*Torii, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	program := exec.Command(path, "--until-stdin-closes")
	program.Stderr = os.Stderr
	stdin, err := program.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := program.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := program.Start(); err != nil {
		return nil, err
	}
	local := &Torii{program: program, stdin: stdin}
	if err := local.begin(stdout); err != nil {
		return nil, fmt.Errorf("toriitest: %s: %w", path, errors.Join(err, local.Close()))
	}
	return local, nil
}

func (l *Torii) begin(stdout io.Reader) error {
	var about struct {
		card
		URL string
		PID int
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, &about); err != nil {
		return err
	}
	about.Name = "acme"
	l.URL, l.PID, l.Environment = about.URL, about.PID, l.environment(about.card)
	// An answer may take long on a busy machine.
	l.client, err = torii.NewClient(l.SecretKey, torii.WithAPIURL(l.URL), torii.WithTimeout(2*time.Minute))
	return err
}

// Close ends the program.
func (l *Torii) Close() error {
	return errors.Join(l.stdin.Close(), l.program.Wait())
}

// NewEnvironment creates a further environment; it exists until [Torii.Reset].
func (l *Torii) NewEnvironment(t testing.TB, name string) *Environment {
	t.Helper()
	var made card
	l.Control(t, "POST", "/issuers", object(map[string]any{"name": name}), &made)
	return l.environment(made)
}

// Control calls the control API, which the README of torii-emulator describes. The body is "" or a JSON
// object; the answer is decoded into the value that into points to, unless it is nil.
func (l *Torii) Control(t testing.TB, method, path, body string, into any) {
	t.Helper()
	path, query, _ := strings.Cut(path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	var content any
	if body != "" {
		content = json.RawMessage(body)
	}
	// Not that of the test, which has ended when its cleanups run.
	err = l.client.Request(context.Background(), method, "/_emulator"+path, values, content, into)
	if err != nil {
		var refusal *torii.Error
		_ = errors.As(err, &refusal)
		t.Fatalf("%s %s: %v %s", method, path, err, refusal.Body)
	}
}

// Fault injects a fault of the control API, such as {"kind":"hang"}, into requests to paths that begin
// like this, until [Torii.ClearFaults] or the end of the test.
func (l *Torii) Fault(t testing.TB, path, fault string) {
	t.Helper()
	l.Control(t, "POST", "/faults", object(map[string]any{"path": path, "fault": json.RawMessage(fault)}), nil)
	t.Cleanup(func() { l.ClearFaults(t) })
}

// ClearFaults ends all faults. This process fetches keys again, without the backoff after a failure.
func (l *Torii) ClearFaults(t testing.TB) {
	t.Helper()
	l.Control(t, "DELETE", "/faults", "", nil)
	torii.ForgetKeys()
}

// Request is a request as the local torii received it.
type Request struct {
	Method, Path, Query, Body string
	Headers                   json.RawMessage
}

// Requests returns the requests to paths that begin like this, at most the last 1000.
func (l *Torii) Requests(t testing.TB, path string) []Request {
	t.Helper()
	var answer struct{ Requests []Request }
	l.Control(t, "GET", "/requests?path="+url.QueryEscape(path), "", &answer)
	return answer.Requests
}

// Reset restores the state after the start, and drops the keys that this process has.
func (l *Torii) Reset(t testing.TB) {
	t.Helper()
	l.Control(t, "POST", "/reset", "", nil)
	torii.ForgetKeys()
}

// find returns the path of the program.
func find() (string, error) {
	const name = "torii-emulator"
	if named := os.Getenv("TORII_EMULATOR"); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("toriitest: TORII_EMULATOR: %w", err)
		}
		return path, nil
	}
	beside := "the folder of libtorii"
	if maps, err := os.ReadFile("/proc/self/maps"); err == nil {
		if library := loaded.FindSubmatch(maps); library != nil {
			beside = string(library[1])
			if path, err := exec.LookPath(filepath.Join(beside, name)); err == nil {
				return path, nil
			}
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("toriitest: %s: found neither in %s nor in PATH; install it with libtorii, or set TORII_EMULATOR to its full path", name, beside)
}

var loaded = regexp.MustCompile(`(?m)(/.*)/libtorii\.[^/\n]*$`)

// object encodes members of a JSON object, which always have an encoding.
func object(members map[string]any) string {
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(text)
}
