;; Carries out reads and writes that were chosen beforehand, one after the other, and reads the clock after each. Why in
;; WebAssembly: docs/decisions/0007. An instance stands for the three files that a WASI object can be given (as its standard
;; streams); the first one's `run` reaches those of all through the table, where the preads of all instances come first, then
;; the pwrites. The layout of the cells is that of block-batch.ts.
(module
  (type $transfer (func (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $fd_pread (type $transfer)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (type $transfer)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "muster" "memory" (memory 1))
  (import "muster" "table" (table 2 funcref))
  (export "memory" (memory 0))

  (func (export "pread") (type $transfer)
    (call $fd_pread (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))

  (func (export "pwrite") (type $transfer)
    (call $fd_pwrite (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))

  ;; ns of CLOCK_MONOTONIC after the base
  (func $now (param $cells i32) (result f64)
    (drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.add (local.get $cells) (i32.const 16))))
    (f64.convert_i64_s
      (i64.sub (i64.load offset=16 (local.get $cells)) (i64.load offset=24 (local.get $cells)))))

  ;; From place $from up to $to. It ends early after an operation that failed or was short, when $slice ns have passed, and
  ;; before the first that would begin at $deadline or later. Result: the place that comes next.
  (func (export "run")
    (param $cells i32) (param $from i32) (param $to i32) (param $deadline f64) (param $slice f64)
    (result i32)
    (local $place i32) ;; its address, less that of the first one's
    (local $errno i32)
    (local $now f64)
    (local.set $now (call $now (local.get $cells)))
    (f64.store offset=32 (local.get $cells) (local.get $now))
    (local.set $slice (f64.add (local.get $slice) (local.get $now)))
    (local.set $place
      (i32.add (local.get $cells) (i32.mul (local.get $from) (i32.const 40))))
    (loop $next
      (if (f64.ge (local.get $now) (local.get $deadline)) (then (return (local.get $from))))
      (i64.store (local.get $cells) (i64.load offset=80 (local.get $place)))
      (local.set $errno
        (call_indirect (type $transfer)
          (i32.load offset=72 (local.get $place))
          (local.get $cells)
          (i32.const 1)
          (i64.trunc_f64_u (f64.load offset=64 (local.get $place)))
          (i32.add (local.get $cells) (i32.const 8))
          (i32.load offset=76 (local.get $place))))
      (local.set $now (call $now (local.get $cells)))
      (f64.store offset=88 (local.get $place) (local.get $now))
      (i32.store offset=96 (local.get $place)
        (select
          (i32.sub (i32.const 0) (local.get $errno))
          (i32.load offset=8 (local.get $cells))
          (local.get $errno)))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (if (i32.ne (i32.load offset=96 (local.get $place)) (i32.load offset=84 (local.get $place)))
        (then (return (local.get $from))))
      (local.set $place (i32.add (local.get $place) (i32.const 40)))
      (br_if $next
        (i32.and
          (i32.lt_u (local.get $from) (local.get $to))
          (f64.lt (local.get $now) (local.get $slice)))))
    (local.get $from)))
