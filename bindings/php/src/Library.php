<?php

declare(strict_types=1);

namespace Torii;

use FFI;
use FFI\CData;
use Torii\Exception\LibraryException;
use Torii\Exception\ToriiException;

/**
 * libtorii through FFI. Programs do not need it.
 *
 * @internal
 */
final class Library
{
    /** The ABI version of include/torii-ffi.h. */
    public const ABI_VERSION = 0;

    /** A folder for each platform whose library the package contains: linux-x86_64-gnu. */
    private const BUNDLED = __DIR__ . '/../lib';

    private static ?FFI $ffi = null;
    private static string $path = '';
    private static CData $error;

    /** @var array<string, CData> */
    private static array $outputs = [];

    /** @throws LibraryException */
    public static function ffi(): FFI
    {
        return self::$ffi ?? self::load();
    }

    /**
     * The library that is in use: a path, or the name that the dynamic linker was given.
     *
     * @throws LibraryException
     */
    public static function path(): string
    {
        self::ffi();
        return self::$path;
    }

    /** Where functions put their errors. One place suffices: check() reads it right after the call. */
    public static function error(): CData
    {
        return self::$error;
    }

    /**
     * Where functions put what they return: one place for each type, read right after the call.
     * PHP 8.2 loses memory with every such array that it allocates and reads a pointer from.
     */
    public static function output(string $type): CData
    {
        return self::$outputs[$type] ??= self::ffi()->new("{$type}[1]");
    }

    /**
     * @param int $status what a function returned
     * @param ?CData $error where it put its error, if not into error()
     * @throws ToriiException unless it succeeded
     */
    public static function check(int $status, ?CData $error = null): void
    {
        if ($status !== 0) {
            throw ToriiException::take($status, ($error ?? self::$error)[0]);
        }
    }

    /** The text of a JSON handle, which is freed. */
    public static function takeJson(CData $json): string
    {
        $text = self::$ffi->torii_json_text($json, null);
        self::$ffi->torii_json_free($json);
        return $text;
    }

    private static function load(): FFI
    {
        $ffi = self::preloaded() ?? self::find();
        self::$ffi = $ffi;
        self::$error = self::output('torii_error_t *');
        return $ffi;
    }

    /** The library of ffi.preload: the only way if ffi.enable is "preload". */
    private static function preloaded(): ?FFI
    {
        try {
            $ffi = FFI::scope('TORII');
        } catch (FFI\Exception) {
            return null;
        }
        self::checkAbi('the library of ffi.preload', $ffi->torii_abi_version());
        self::$path = 'ffi.preload';
        return $ffi;
    }

    /** The library that TORII_LIBRARY names, else that of the package, else the dynamic linker's. */
    private static function find(): FFI
    {
        $name = self::fileName(PHP_OS_FAMILY);
        $platform = self::thisPlatform();
        $bundled = realpath(self::BUNDLED . "/$platform/$name");
        $places = [$name => 'with the dynamic linker'];
        $tried = [];
        if ($named = getenv('TORII_LIBRARY')) {
            $places = [$named => 'in TORII_LIBRARY'];
        } elseif ($bundled) {
            $places = [$bundled => 'in the package'] + $places;
        } elseif ($others = glob(self::BUNDLED . '/*', GLOB_ONLYDIR)) {
            $tried[] = "in the package, for $platform (it has " . implode(', ', array_map('basename', $others)) . ')';
        }
        foreach ($places as $path => $where) {
            try {
                return self::open($path);
            } catch (FFI\Exception $e) {
                $tried[] = "$where, for $path ({$e->getMessage()})";
            }
        }
        throw new LibraryException(
            'libtorii cannot be used: looked ' . implode('; ', $tried) . '. Install the package libtorii0, or set '
            . "TORII_LIBRARY to the full path of $name. Under php-fpm, FFI has to be allowed or preloaded, "
            . 'as the README shows',
            previous: $e,
        );
    }

    /** The file name of the library in a family of operating systems (PHP_OS_FAMILY). */
    public static function fileName(string $family): string
    {
        return match ($family) {
            'Darwin' => 'libtorii.' . self::ABI_VERSION . '.dylib',
            'Windows' => 'torii.dll',
            default => 'libtorii.so.' . self::ABI_VERSION,
        };
    }

    /** The platform that runs PHP. */
    private static function thisPlatform(): string
    {
        // The C library of this process: a system may have both. Without /proc, the one that the system has.
        $maps = @file_get_contents('/proc/self/maps')
            ?: implode("\n", glob('/lib*/ld-linux*') ?: glob('/lib/ld-musl-*') ?: []);
        return self::platform(PHP_OS_FAMILY, php_uname('m'), $maps);
    }

    /**
     * A platform, as the folders of the package are named.
     *
     * @param string $family PHP_OS_FAMILY
     * @param string $machine the processor, as uname names it
     * @param string $maps what is mapped into the process, a path at the end of each line
     */
    public static function platform(string $family, string $machine, string $maps): string
    {
        // As in the names of compilers; macOS and Windows have names of their own.
        $machine = ['arm64' => 'aarch64', 'amd64' => 'x86_64'][strtolower($machine)] ?? $machine;
        if ($family !== 'Linux') {
            return strtolower($family) . "-$machine";
        }
        // musl's file is its loader, too, and distributions link one name to the other. That of glibc is libc.so.6.
        return "linux-$machine-" . (preg_match('~/(ld-musl-[^/\s]+|libc\.so)$~m', $maps) ? 'musl' : 'gnu');
    }

    private static function open(string $path): FFI
    {
        self::checkAbi($path, FFI::cdef('uint32_t torii_abi_version(void);', $path)->torii_abi_version());
        self::$path = $path;
        return FFI::cdef(file_get_contents(__DIR__ . '/../include/torii-ffi.h'), $path);
    }

    private static function checkAbi(string $what, int $version): void
    {
        if ($version !== self::ABI_VERSION) {
            throw new LibraryException(
                "$what has the ABI version $version, but this package needs " . self::ABI_VERSION
                . ': install the library of the same release'
            );
        }
    }
}
