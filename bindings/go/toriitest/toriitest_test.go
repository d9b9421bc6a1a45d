package toriitest_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	torii "libtorii.internal/go"
	"libtorii.internal/go/toriitest"
)

func expect(t *testing.T, verifier *torii.Verifier, token string, want error) {
	t.Helper()
	if _, err := verifier.Verify(t.Context(), token); !errors.Is(err, want) {
		t.Errorf("%v instead of %v", err, want)
	}
}

func TestUsersAndTokens(t *testing.T) {
	local := toriitest.Start(t)
	verifier, client := local.Verifier(t), local.Client(t)
	user, err := client.Users.Create(t.Context(), torii.UserCreate{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	session, token := local.SignIn(t, user.ID)
	auth, err := verifier.Verify(t.Context(), token)
	if err != nil || auth.UserID != user.ID || auth.EnvironmentID != local.ID {
		t.Error(auth, err)
	}
	sessions, err := client.Sessions.ListForUser(t.Context(), user.ID)
	if err != nil || len(sessions) != 1 || sessions[0].ID != session {
		t.Error(sessions, err)
	}
	auth, err = verifier.Verify(t.Context(), local.Token(t, map[string]any{"sub": "user-1", "plan": "pro"}))
	if err != nil || auth.UserID != "user-1" || !strings.Contains(auth.ClaimsJSON, `"plan":"pro"`) {
		t.Error(auth, err)
	}
	expect(t, verifier, local.Token(t, nil), nil)
	expect(t, verifier, local.Mint(t, `{"expires_in":-60}`), torii.ErrTokenExpired)
}

func TestKeys(t *testing.T) {
	local := toriitest.Start(t)
	verifier, first := local.Verifier(t), local.Token(t, nil)
	expect(t, verifier, first, nil)
	local.FailKeys(t)
	expect(t, verifier, first, torii.ErrKeysUnavailable)
	local.ClearFaults(t)
	expect(t, verifier, first, nil)
	kid := local.RotateKeys(t)
	second := local.Token(t, nil)
	expect(t, verifier, second, nil)
	local.RemoveKey(t, kid)
	torii.ForgetKeys()
	expect(t, verifier, second, torii.ErrTokenKeyUnknown)
	expect(t, verifier, first, nil)
}

func TestFurtherEnvironments(t *testing.T) {
	local := toriitest.Start(t)
	other := local.NewEnvironment(t, "other")
	expect(t, other.Verifier(t), other.Token(t, nil), nil)
	expect(t, local.Verifier(t), other.Token(t, nil), torii.ErrTokenIssuer)
	t.Run("faults end with the test", func(t *testing.T) {
		other.FailKeys(t)
		expect(t, other.Verifier(t), other.Token(t, nil), torii.ErrKeysUnavailable)
		expect(t, local.Verifier(t), local.Token(t, nil), nil)
	})
	expect(t, other.Verifier(t), other.Token(t, nil), nil)
	requests := local.Requests(t, "/other/")
	if len(requests) == 0 || requests[0].Method != "GET" {
		t.Error(requests)
	}
	local.Reset(t)
	if len(local.Requests(t, "/")) > 0 {
		t.Error("not reset")
	}
}

// A process of its own starts a local torii, prints its process id, and waits.
func TestMain(m *testing.M) {
	if os.Getenv("TORIITEST_CHILD") == "" {
		os.Exit(m.Run())
	}
	local, err := toriitest.New()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(local.PID)
	fmt.Scanln()
	fmt.Println(local.Close())
}

func child(t *testing.T, environment ...string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(append(os.Environ(), "TORIITEST_CHILD=1"), environment...)
	return command
}

func TestItEndsWithTheProcess(t *testing.T) {
	killed := child(t)
	input, err := killed.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer input.Close()
	output, err := killed.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Fscan(output, &pid); err != nil {
		t.Fatal(err)
	}
	_ = killed.Process.Kill()
	_ = killed.Wait()
	process := fmt.Sprintf("/proc/%d", pid)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(process); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("still there")
		}
	}
}

func TestWhereTheProgramIs(t *testing.T) {
	emulator, err := exec.LookPath(os.Getenv("TORII_EMULATOR"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	library, err := os.ReadFile(filepath.Join(os.Getenv("LD_LIBRARY_PATH"), "libtorii.so.0"))
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "bin")
	for _, err := range []error{os.WriteFile(filepath.Join(dir, "libtorii.so.0"), library, 0o600), os.Mkdir(bin, 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	says := func(want string, environment ...string) {
		t.Helper()
		output, _ := child(t, append([]string{"TORII_EMULATOR=", "LD_LIBRARY_PATH=" + dir, "PATH=" + bin}, environment...)...).CombinedOutput()
		if !strings.Contains(string(output), want) {
			t.Errorf("%q instead of %q", output, want)
		}
	}
	says("torii-emulator: found neither in " + dir + " nor in PATH; install it")
	says("TORII_EMULATOR: ", "TORII_EMULATOR=/nowhere")
	says("/bin/false: EOF", "TORII_EMULATOR=/bin/false")
	for _, place := range []string{bin, dir} {
		link := filepath.Join(place, "torii-emulator")
		if err := os.Symlink(emulator, link); err != nil {
			t.Fatal(err)
		}
		says("<nil>")
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
}

// The README shows TestMe.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, snippet, _ := strings.Cut(string(source), "\n\nfunc TestMe")
	if !strings.Contains(string(readme), "func TestMe"+snippet+"```") {
		t.Error("README.md has another TestMe than readme_test.go")
	}
}
