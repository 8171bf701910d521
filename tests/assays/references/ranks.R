# References of the rank correlations and the judging of claims, made with R 4.2.2 (Debian r-base-core):
#   Rscript ranks.R > ranks.json
# Every number is printed with 15 significant digits; the inputs are printed beside the answers.
show <- function(x) paste(trimws(formatC(x, digits = 15, format = "g")), collapse = ", ")
entry <- function(.name, ...) {
  parts <- list(...)
  body <- mapply(function(k, v) sprintf('"%s": [%s]', k, show(v)), names(parts), parts)
  sprintf('"%s": {%s}', .name, paste(body, collapse = ", "))
}
out <- c()
set.seed(20260501)
n <- 60
x <- round(rnorm(n), 1); z <- rexp(n); y <- round(0.5 * x + rnorm(n), 1); b <- as.integer(y > 0.3)

# Spearman's rho with ties, and the interval of Bonett and Wright (2000)
limits <- function(r, level) tanh(atanh(r) + c(-1, 1) * qnorm((1 + level) / 2) * sqrt((1 + r^2 / 2) / (n - 3)))
for (outcome in c("y", "b")) {
  r <- sapply(list(x, z), cor, get(outcome), method = "spearman")
  out <- c(out, entry(paste0("spearman.", outcome), x = x, z = z, outcome = get(outcome), rho = r,
    x95 = limits(r[1], 0.95), x99 = limits(r[1], 0.99), z95 = limits(r[2], 0.95)))
}

# Wilson's interval: prop.test without the correction for continuity
k <- c(0, 137, 20, 3, 1); m <- c(20, 756, 20, 7, 800)
ci <- suppressWarnings(mapply(function(a, c) prop.test(a, c, correct = FALSE)$conf.int, k, m))
out <- c(out, entry("wilson", k = k, n = m, low = ci[1, ], high = ci[2, ]))

# the mean of one number per donor
for (level in c(0.9, 0.95, 0.99)) {
  t <- t.test(y, conf.level = level)
  out <- c(out, entry(sprintf("t.%g", level), y = y, mean = t$estimate, ci = t$conf.int))
}
cat("{\n", paste(out, collapse = ",\n "), "\n}\n")
