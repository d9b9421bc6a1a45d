<?php

declare(strict_types=1);

require_once '/usr/share/php/Nyholm/Psr7/autoload.php';

spl_autoload_register(static function (string $class): void {
    foreach (['Torii\\Tests\\' => __DIR__, 'Torii\\' => __DIR__ . '/../src'] as $prefix => $folder) {
        if (str_starts_with($class, $prefix)) {
            $file = $folder . '/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
            if (is_file($file)) {
                require $file;
            }
            return;
        }
    }
});
