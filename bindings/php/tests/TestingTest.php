<?php

declare(strict_types=1);

namespace Torii\Tests;

use RuntimeException;
use Torii\Exception\KeysUnavailableException;
use Torii\Exception\TokenException;
use Torii\Testing\LocalTorii;
use Torii\Verifier;

/** The test kit. */
final class TestingTest extends EmulatorTestCase
{
    public function testUsersAndTokens(): void
    {
        $user = $this->torii->client()->users->create(email: 'ada@example.org');
        $session = $this->torii->signIn($user->id, user_agent: 'Lynx');
        $verifier = $this->torii->verifier();
        $auth = $verifier->verify($session->token);
        self::assertSame([$user->id, $this->torii->id], [$auth->userId, $auth->environmentId]);
        $sessions = $this->torii->client()->sessions->listForUser($user->id);
        self::assertSame([$session->id], array_column($sessions, 'id'));
        $auth = $verifier->verify($this->torii->token(['sub' => self::USER, 'plan' => 'pro'], expires_in: 60));
        $lifetime = $auth->expiresAt - $auth->issuedAt;
        self::assertSame([self::USER, 'pro', 60], [$auth->userId, $auth->claims()['plan'], $lifetime]);
        self::thrown(TokenException::class, fn () => $verifier->verify($this->torii->token(signer: 'forged')));
    }

    public function testKeys(): void
    {
        $verifier = $this->torii->verifier();
        $first = $this->torii->token();
        $verifier->verify($first);
        $this->torii->failKeys();
        self::thrown(KeysUnavailableException::class, static fn () => $verifier->verify($first));
        $this->torii->clearFaults();
        $verifier->verify($first);
        $kid = $this->torii->rotateKeys();
        $second = $this->torii->token();
        $verifier->verify($second);
        $this->torii->removeKey($kid);
        Verifier::clearKeys();
        $unknown = self::thrown(TokenException::class, static fn () => $verifier->verify($second));
        self::assertSame('token_key_unknown', $unknown->status);
        $verifier->verify($first);
    }

    public function testFurtherEnvironments(): void
    {
        $other = $this->torii->newEnvironment('other');
        self::assertSame($other->id, $other->verifier()->verify($other->token())->environmentId);
        self::thrown(TokenException::class, fn () => $this->torii->verifier()->verify($other->token()));
        $other->failKeys(500);
        $this->torii->verifier()->verify($this->torii->token());
        self::thrown(KeysUnavailableException::class, static fn () => $other->verifier()->verify($other->token()));
        $this->torii->reset();
        $gone = self::thrown(RuntimeException::class, static fn () => $other->token());
        self::assertStringContainsString('no issuer named', $gone->getMessage());
    }

    public function testItEndsWithTheProcess(): void
    {
        $other = new LocalTorii();
        self::assertDirectoryExists("/proc/$other->pid");
        $other->stop();
        clearstatcache();
        self::assertDirectoryDoesNotExist("/proc/$other->pid");
        $killed = $this->php('$torii = new Torii\Testing\LocalTorii(); echo $torii->pid, "\n"; sleep(600);', [], $pipes);
        $pid = (int) fgets($pipes[1]);
        proc_terminate($killed, 9);
        proc_close($killed);
        for ($deadline = time() + 120; is_dir("/proc/$pid"); usleep(10_000)) {
            clearstatcache();
            self::assertLessThan($deadline, time());
        }
    }

    public function testWhereTheProgramIs(): void
    {
        $folder = sys_get_temp_dir() . '/' . uniqid('torii-kit-');
        mkdir("$folder/bin", recursive: true);
        copy(getenv('TORII_LIBRARY'), "$folder/libtorii.so.0");
        $says = function (string $named = '') use ($folder): string {
            $environment = [
                'TORII_EMULATOR' => $named,
                'TORII_LIBRARY' => "$folder/libtorii.so.0",
                'PATH' => "$folder/bin",
            ];
            $php = $this->php('echo substr_count((new Torii\Testing\LocalTorii())->token(), ".");', $environment, $pipes);
            $output = stream_get_contents($pipes[1]);
            proc_close($php);
            return $output;
        };
        try {
            self::assertStringContainsString("torii-emulator: found neither in $folder nor in PATH. Install it", $says());
            self::assertStringContainsString('TORII_EMULATOR: /nowhere is not a program', $says('/nowhere'));
            self::assertStringContainsString('/bin/false: ended with status 1', $says('/bin/false'));
            foreach ([$folder, "$folder/bin"] as $place) {
                symlink(getenv('TORII_EMULATOR'), "$place/torii-emulator");
                self::assertSame('2', $says());
                unlink("$place/torii-emulator");
            }
        } finally {
            unlink("$folder/libtorii.so.0");
            rmdir("$folder/bin");
            rmdir($folder);
        }
    }

    /** The README's test case runs, with the names that it uses. */
    public function testTheReadme(): void
    {
        $readme = file_get_contents(__DIR__ . '/../README.md');
        preg_match('/^## Tests of your application\n.*?```php\n(.*?)^```/sm', $readme, $snippet);
        $folder = sys_get_temp_dir() . '/torii-' . bin2hex(random_bytes(8));
        mkdir($folder);
        $file = "$folder/LoginTest.php";
        file_put_contents($file, "<?php\n" . $snippet[1]);
        try {
            $bootstrap = __DIR__ . '/bootstrap.php';
            $phpunit = [$_SERVER['argv'][0], '--no-configuration', '--bootstrap', $bootstrap, $file];
            $command = [PHP_BINARY, '-d', 'ffi.enable=true', ...$phpunit];
            $process = proc_open($command, [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes, $folder);
            $output = stream_get_contents($pipes[1]);
            self::assertSame(0, proc_close($process), $output);
            self::assertStringContainsString('OK (2 tests', $output);
        } finally {
            array_map(unlink(...), [$file, ...glob("$folder/.phpunit*")]);
            rmdir($folder);
        }
    }

    /**
     * @param array<string, string> $environment
     * @return resource
     */
    private function php(string $program, array $environment, ?array &$pipes): mixed
    {
        $command = [PHP_BINARY, '-d', 'ffi.enable=true', '-r', "require 'tests/bootstrap.php'; $program"];
        $environment += getenv();
        return proc_open($command, [1 => ['pipe', 'w'], 2 => ['redirect', 1]], $pipes, dirname(__DIR__), $environment);
    }
}
