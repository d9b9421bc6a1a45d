<?php

declare(strict_types=1);

namespace Torii\Tests;

/** The local torii: one process for the whole run. */
final class Emulator
{
    /** @var ?array{url: string, control: string, issuer: string, secret_key: string, environment_id: string} */
    private static ?array $info = null;

    /** @var resource */
    private static mixed $process;

    /** @var array<int, resource> it ends when its input closes */
    private static array $pipes = [];

    /** @return array{url: string, control: string, issuer: string, secret_key: string, environment_id: string} */
    public static function info(): array
    {
        if (self::$info === null) {
            $command = [getenv('TORII_EMULATOR'), '--port', '0', '--until-stdin-closes'];
            self::$process = proc_open($command, [['pipe', 'r'], ['pipe', 'w']], self::$pipes);
            self::$info = json_decode(fgets(self::$pipes[1]), true, flags: JSON_THROW_ON_ERROR);
        }
        return self::$info;
    }

    /** @param ?array<string, mixed> $body */
    public static function call(string $method, string $path, ?array $body = null): mixed
    {
        $context = stream_context_create(['http' => [
            'method' => $method,
            'header' => "Content-Type: application/json\r\nConnection: close",
            'content' => $body === null ? '' : json_encode((object) $body, JSON_THROW_ON_ERROR),
            'ignore_errors' => true,
        ]]);
        $answer = file_get_contents(self::info()['control'] . $path, false, $context);
        if (!preg_match('/ 2\d\d /', $http_response_header[0])) {
            throw new \RuntimeException("$method $path: $http_response_header[0] $answer");
        }
        return $answer === '' ? null : json_decode($answer, true, flags: JSON_THROW_ON_ERROR);
    }
}
