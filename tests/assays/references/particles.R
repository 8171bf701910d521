# References for senexo.assays.particles, made with R 4.2.2, lme4 1.1-31, lmerTest 3.1-3 (Debian r-base-core,
# r-cran-lme4, r-cran-lmertest, r-cran-jsonlite):
#   Rscript particles.R > particles.json
# Inputs are printed beside the answers, 15 significant digits.
suppressMessages({library(lmerTest); library(jsonlite)})
set.seed(20180515)
out <- list()
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = 0.02, rhoend = 1e-14, maxfun = 1e6),
                     check.conv.singular = "ignore")
mixed <- function(y, arm, donor) {
  d <- data.frame(y = y, arm = relevel(factor(arm), "control"), donor = factor(donor))
  fit <- lmer(y ~ arm + (1 | donor), d, REML = TRUE, control = tight)
  s <- summary(fit)$coefficients; v <- as.data.frame(VarCorr(fit))
  list(y = y, arm = as.character(arm), donor = as.character(donor), effects = s[, 1], error = s[, 2], df = s[, 3],
       t = s[, 4], p = s[, 5], donor_variance = v$vcov[1], residual_variance = v$vcov[2], deviance = REMLcrit(fit))
}
arms <- function(names, n, effect, tau, sigma) {
  d <- expand.grid(arm = names, donor = letters[seq_len(n)], stringsAsFactors = FALSE)
  u <- rnorm(n, 0, tau); d$y <- round(8 + effect[match(d$arm, names)] + u[match(d$donor, letters)] +
    rnorm(nrow(d), 0, sigma), 4)
  d
}
d <- arms(c("control", "kd"), 5, c(0, -0.7), 0.5, 0.2)
out$two_arms <- mixed(d$y, d$arm, d$donor)
d <- arms(c("control", "kd", "rescue", "gw"), 4, c(0, -0.7, -0.1, -0.5), 0.6, 0.25)
out$four_arms <- mixed(d$y, d$arm, d$donor)
d <- arms(c("control", "kd", "rescue"), 6, c(0, -0.7, -0.1), 0.5, 0.3); d <- d[-c(2, 6, 13, 18), ]
out$incomplete <- mixed(d$y, d$arm, d$donor)
d <- arms(c("control", "kd"), 4, c(0, -0.7), 0, 0.3)
d$y <- round(d$y - ave(d$y, d$donor) + mean(d$y), 4)  # donors alike: the variance between them is zero
out$no_donor_variance <- mixed(d$y, d$arm, d$donor)
d <- rbind(arms(c("control", "kd"), 5, c(0, -0.5), 0.4, 0.2), arms(c("control", "kd"), 5, c(0, -0.5), 0.4, 0.2))[-c(3, 9, 17), ]
out$replicates <- mixed(d$y, d$arm, d$donor)

# paired and Welch t-tests of log rates
x <- c(812, 640, 1105, 930, 720); y <- c(390, 402, 610, 300, 411)
t1 <- t.test(log(y), log(x), paired = TRUE)
out$paired_t <- list(control = x, kd = y, ratio = exp(unname(t1$estimate)), ci = exp(t1$conf.int), p = t1$p.value)
t2 <- t.test(log(y), log(x[1:4]))
out$welch_t <- list(control = x[1:4], kd = y, ratio = exp(mean(log(y)) - mean(log(x[1:4]))), ci = exp(t2$conf.int),
                    p = t2$p.value)
# the limit of the blank: one-sided 95 % prediction limit of the mean of m further readings, through lm
b <- c(2.1e8, 2.9e8, 2.4e8, 2.2e8)
s <- sd(b)
limit <- function(m) mean(b) + qt(0.95, length(b) - 1) * s * sqrt(1 / m + 1 / length(b))
p1 <- predict(lm(b ~ 1), data.frame(z = 1), interval = "prediction", level = 0.90)
stopifnot(abs(limit(1) / p1[1, "upr"] - 1) < 1e-12)
out$limit_of_blank <- list(blank = b, runs = c(1, 2, 3), limit = sapply(1:3, limit))
cat(toJSON(out, digits = I(15), na = "null"), "\n")
