<?php

declare(strict_types=1);

namespace Torii\Tests;

use PHPUnit\Framework\TestCase;
use Torii\Library;

/** The package's messages if the library is missing or has another ABI version. */
final class LoadTest extends TestCase
{
    public function testAMissingLibrary(): void
    {
        $message = self::failure('/no/such/libtorii.so.0');
        self::assertStringContainsString('/no/such/libtorii.so.0', $message);
        self::assertMatchesRegularExpression('/TORII_LIBRARY.*Install/s', $message);
    }

    public function testThePathOfTheLibrary(): void
    {
        self::assertSame(getenv('TORII_LIBRARY'), Library::path());
    }

    /** @dataProvider platforms */
    public function testThePlatformNamesTheFolder(string $expected, string $family, string $machine, string $file): void
    {
        $maps = "7f00-7f01 r-xp 00000000 08:01 1234    $file\n7f02-7f03 rw-p 00000000 00:00 0    [stack]\n";
        self::assertSame($expected, Library::platform($family, $machine, $maps));
    }

    /** @return iterable<string, array{string, string, string, string}> */
    public static function platforms(): iterable
    {
        yield 'Debian' => ['linux-x86_64-gnu', 'Linux', 'x86_64', '/usr/lib/x86_64-linux-gnu/libc.so.6'];
        yield 'Debian, arm64' => ['linux-aarch64-gnu', 'Linux', 'aarch64', '/usr/lib/aarch64-linux-gnu/libc.so.6'];
        yield 'CentOS 7' => ['linux-x86_64-gnu', 'Linux', 'x86_64', '/usr/lib64/libc-2.17.so'];
        yield 'Alpine' => ['linux-x86_64-musl', 'Linux', 'x86_64', '/lib/ld-musl-x86_64.so.1'];
        yield 'Alpine, arm64' => ['linux-aarch64-musl', 'Linux', 'aarch64', '/lib/ld-musl-aarch64.so.1'];
        yield 'Void Linux with musl' => ['linux-x86_64-musl', 'Linux', 'x86_64', '/usr/lib/libc.so'];
        yield 'glibc, in a folder like musl' => ['linux-x86_64-gnu', 'Linux', 'x86_64', '/ld-musl-x/libc.so.6'];
        yield 'macOS' => ['darwin-aarch64', 'Darwin', 'arm64', ''];
        yield 'Windows' => ['windows-x86_64', 'Windows', 'AMD64', ''];
    }

    public function testFileNames(): void
    {
        self::assertSame('libtorii.so.0', \Torii\Library::fileName('Linux'));
        self::assertSame('libtorii.so.0', \Torii\Library::fileName('BSD'));
        self::assertSame('libtorii.0.dylib', \Torii\Library::fileName('Darwin'));
        self::assertSame('torii.dll', \Torii\Library::fileName('Windows'));
    }

    public function testAnotherAbi(): void
    {
        $library = tempnam(sys_get_temp_dir(), 'torii');
        $cc = proc_open(['cc', '-shared', '-fPIC', '-x', 'c', '-o', $library, '-'], [['pipe', 'r']], $pipes);
        fwrite($pipes[0], 'unsigned torii_abi_version(void) { return 7; }');
        fclose($pipes[0]);
        self::assertSame(0, proc_close($cc));
        self::assertMatchesRegularExpression('/ABI version 7, but .* needs 0/', self::failure($library));
        unlink($library);
    }

    public function testForbiddenFfi(): void
    {
        self::assertStringContainsString('ffi.enable', self::failure(getenv('TORII_LIBRARY'), ['-d', 'ffi.enable=0']));
    }

    /** @param list<string> $flags */
    private static function failure(string $library, array $flags = []): string
    {
        $code = 'require "tests/bootstrap.php";
            try { Torii\Library::ffi(); } catch (Torii\Exception\LibraryException $e) { echo $e->getMessage(); }';
        $php = proc_open(
            [PHP_BINARY, ...$flags, '-r', $code],
            [1 => ['pipe', 'w']],
            $pipes,
            dirname(__DIR__),
            ['TORII_LIBRARY' => $library],
        );
        $output = stream_get_contents($pipes[1]);
        self::assertSame(0, proc_close($php), $output);
        return $output;
    }
}
