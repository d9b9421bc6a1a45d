<?php

declare(strict_types=1);

namespace Torii\Testing;

use RuntimeException;
use Torii\Client;
use Torii\Exception\ApiException;
use Torii\Library;
use Torii\Verifier;

/**
 * A local torii for the tests of your application, with its environment "acme": real tokens, users and key
 * faults, no network.
 *
 *     $torii = new Torii\Testing\LocalTorii();
 *     $token = $torii->token(['sub' => 'user-1', 'email_verified' => true]);
 *     $torii->verifier()->verify($token)->userId; // "user-1"
 *
 * It runs the program torii-emulator, which ends with this process. TORII_EMULATOR names the program;
 * otherwise it is found beside the loaded libtorii, or in PATH.
 */
final class LocalTorii extends Environment
{
    private const PROGRAM = 'torii-emulator';

    /** The base URL of the API. */
    public readonly string $url;

    /** The process id of the program. */
    public readonly int $pid;

    private readonly Client $control;

    /** @var ?resource */
    private mixed $process = null;

    /** @var array<int, resource> it ends when its input closes */
    private array $pipes = [];

    private readonly int $starter;

    /**
     * Starts the program.
     *
     * @throws RuntimeException if the program is not found or does not start
     */
    public function __construct()
    {
        $this->starter = getmypid();
        $program = self::program();
        $this->process = proc_open([$program, '--until-stdin-closes'], [['pipe', 'r'], ['pipe', 'w']], $this->pipes);
        $line = fgets($this->pipes[1]);
        if ($line === false) {
            throw new RuntimeException("$program: ended with status " . $this->stop());
        }
        $about = json_decode($line, true, flags: JSON_THROW_ON_ERROR);
        $this->url = $about['url'];
        $this->pid = $about['pid'];
        parent::__construct($this, 'acme', $about['environment_id'], $about['issuer'], $about['secret_key']);
        // An answer may take long on a busy machine.
        $this->control = $this->client(timeout: 120.0);
    }

    public function __destruct()
    {
        // Not a forked child, which has a copy of this object.
        if ($this->starter === getmypid()) {
            $this->stop();
        }
    }

    /** Creates a further environment; it exists until reset(). */
    public function newEnvironment(string $name): Environment
    {
        $made = $this->control('POST', '/issuers', ['name' => $name]);
        return new Environment($this, $name, $made['environment_id'], $made['issuer'], $made['secret_key']);
    }

    /**
     * Calls the control API, which the README of torii-emulator describes.
     *
     * @param string $method "GET", "POST", "PUT", "PATCH" or "DELETE"
     * @param ?array<string, mixed> $body
     * @throws RuntimeException
     */
    public function control(string $method, string $path, ?array $body = null): mixed
    {
        [$path, $query] = explode('?', $path, 2) + [1 => ''];
        parse_str($query, $query);
        try {
            return $this->control->request($method, "/_emulator$path", $query, $body);
        } catch (ApiException $e) {
            throw new RuntimeException("$method $path: {$e->getMessage()} $e->body", previous: $e);
        }
    }

    /**
     * Injects a fault into requests to paths that begin like this, until clearFaults().
     *
     * @param array<string, mixed> $fault of the control API, such as `['kind' => 'hang']`
     * @param ?int $times how often
     */
    public function fault(string $path, array $fault, ?int $times = null): void
    {
        $limit = $times === null ? [] : ['times' => $times];
        $this->control('POST', '/faults', ['path' => $path, 'fault' => $fault, ...$limit]);
    }

    /** Ends all faults. This process fetches keys again, without the backoff after a failure. */
    public function clearFaults(): void
    {
        $this->control('DELETE', '/faults');
        Verifier::clearKeys();
    }

    /** @return list<array<string, mixed>> the requests to paths that begin like this, at most the last 1000 */
    public function requests(string $path = '/'): array
    {
        return $this->control('GET', '/requests?path=' . rawurlencode($path))['requests'];
    }

    /** Restores the state after the start, and drops the keys that this process has. */
    public function reset(): void
    {
        $this->control('POST', '/reset');
        Verifier::clearKeys();
    }

    /**
     * Ends the program.
     *
     * @return int its status
     */
    public function stop(): int
    {
        if ($this->process === null) {
            return 0;
        }
        array_map(fclose(...), $this->pipes);
        proc_terminate($this->process);
        $status = proc_close($this->process);
        $this->process = null;
        return $status;
    }

    private static function program(): string
    {
        if ($named = getenv('TORII_EMULATOR')) {
            return self::executable($named) ?? throw new RuntimeException("TORII_EMULATOR: $named is not a program");
        }
        Library::ffi();
        $maps = is_readable('/proc/self/maps') ? file_get_contents('/proc/self/maps') : '';
        $beside = preg_match('~(/.*)/libtorii\.[^/\n]*$~m', $maps, $found) === 1 ? $found[1] : null;
        foreach ([...(array) $beside, ...explode(PATH_SEPARATOR, (string) getenv('PATH'))] as $folder) {
            if ($program = self::executable("$folder/" . self::PROGRAM)) {
                return $program;
            }
        }
        throw new RuntimeException(
            self::PROGRAM . ': found neither in ' . ($beside ?? 'the folder of libtorii') . ' nor in PATH. Install it '
            . 'with libtorii, or set TORII_EMULATOR to its full path.'
        );
    }

    private static function executable(string $path): ?string
    {
        return is_file($path) && is_executable($path) ? $path : null;
    }
}
