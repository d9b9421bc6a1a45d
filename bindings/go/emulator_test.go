package torii_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// local is the local torii that TestMain starts.
var local emulator

type emulator struct {
	Control       string `json:"control"`
	Issuer        string `json:"issuer"`
	URL           string `json:"url"`
	SecretKey     string `json:"secret_key"`
	EnvironmentID string `json:"environment_id"`
}

func TestMain(m *testing.M) {
	os.Exit(withEmulator(m.Run))
}

func withEmulator(run func() int) int {
	program := os.Getenv("TORII_EMULATOR")
	if program == "" {
		fmt.Fprintln(os.Stderr, "TORII_EMULATOR has to name the program torii-emulator; test.sh does")
		return 2
	}
	command := exec.Command(program, "--port", "0", "--until-stdin-closes")
	stdin, err := command.StdinPipe()
	must(err)
	stdout, err := command.StdoutPipe()
	must(err)
	must(command.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	must(err)
	must(json.Unmarshal(line, &local))
	status := run()
	stdin.Close()
	must(command.Wait())
	return status
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
	request, err := http.NewRequest(method, local.Control+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %d %s %v", method, path, response.StatusCode, text, err)
	}
	if len(bytes.TrimSpace(text)) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, text, err)
		}
	}
	return answer
}

type card struct {
	Name, Issuer, Kid string
	SecretKey         string `json:"secret_key"`
	EnvironmentID     string `json:"environment_id"`
}

var issuers int

// newIssuer makes an issuer of the test's own.
func newIssuer(t testing.TB) card {
	t.Helper()
	issuers++
	return tell[card](t, "POST", "/issuers", fmt.Sprintf(`{"name":"issuer-%d"}`, issuers))
}

func (c card) token(t testing.TB, how string) string {
	t.Helper()
	return tell[struct{ Token string }](t, "POST", "/issuers/"+c.Name+"/tokens", how).Token
}

func (c card) rotate(t testing.TB) string {
	t.Helper()
	return tell[struct{ Kid string }](t, "POST", "/issuers/"+c.Name+"/keys", `{}`).Kid
}

// keyRequests counts how often the issuer's keys were asked for.
func (c card) keyRequests(t testing.TB) int {
	t.Helper()
	return tell[struct{ Total int }](t, "GET", "/requests?path=/"+c.Name+"/", "").Total
}

func fault(t testing.TB, path, fault string) {
	t.Helper()
	tell[any](t, "POST", "/faults", fmt.Sprintf(`{"path":%q,"fault":%s}`, path, fault))
	t.Cleanup(func() { clearFaults(t) })
}

func clearFaults(t testing.TB) {
	t.Helper()
	tell[any](t, "DELETE", "/faults", "")
}

// A request as the emulator saw it.
type request struct {
	Method, Path, Query, Body string
	Headers                   json.RawMessage
}

// requests are those to paths that begin like this.
func requests(t testing.TB, path string) []request {
	t.Helper()
	return tell[struct{ Requests []request }](t, "GET", "/requests?path="+url.QueryEscape(path), "").Requests
}
