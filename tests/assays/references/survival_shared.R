# Answers on the tables of ../shared/data (tcga-laml, statistics), which are not part of this repository; made with
# R 4.2.2 and survival 3.5-3 (Debian r-base-core, r-cran-survival, r-cran-jsonlite), 15 significant digits; coxph iterates
# to 1e-14:
#   Rscript survival_shared.R ../../../../shared/data > survival_shared.json
# Input tcga-laml: the 188 patients of both tidy_clinical.csv and tidy_mirna_rpm.csv.gz, of them those with os_days > 0
# (11 have no os_days, 13 have 0): 164, 102 deaths; non-APL leaves out FAB_classification M3 (one patient has none and
# stays). Levels are log2(RPM + 1), high above their median.
# Input statistics: rossi.csv (432 men, week, arrest), larynx.csv (90 men, time, death) as they are.
suppressMessages({library(survival); library(jsonlite)})
shared <- commandArgs(TRUE)[1]
out <- list()
model <- function(formula, data) {
  fit <- do.call("coxph", list(formula, data, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 50)))
  zph <- cox.zph(fit)$table
  con <- concordance(fit)
  list(terms = names(coef(fit)), coef = unname(coef(fit)), se = unname(sqrt(diag(vcov(fit)))), loglik = fit$loglik,
       p = unname(summary(fit)$coefficients[, "Pr(>|z|)"]), n = fit$n, events = fit$nevent,
       zph_terms = rownames(zph), zph = unname(zph[, 1]), zph_p = unname(zph[, 3]),
       concordance = unname(con$concordance), concordance_se = sqrt(unname(con$var)))
}
clinical <- read.csv(file.path(shared, "tcga-laml/tidy_clinical.csv"))
rpm <- read.csv(gzfile(file.path(shared, "tcga-laml/tidy_mirna_rpm.csv.gz")), check.names = FALSE)
both <- merge(clinical, rpm, by = "patient")
stopifnot(nrow(both) == 188)
both <- both[!is.na(both$os_days) & both$os_days > 0, ]
for (subset in c("all", "non_apl")) {
  d <- if (subset == "all") both else both[is.na(both$FAB_classification) | both$FAB_classification != "M3", ]
  found <- list(n = nrow(d), events = sum(d$os_event))
  for (rna in c("hsa-mir-34a", "hsa-mir-34b", "hsa-mir-34c")) {
    d$level <- log2(d[[rna]] + 1)
    d$high <- d$level > median(d$level)
    test <- survdiff(Surv(os_days, os_event) ~ high, d)
    fit <- survfit(Surv(os_days, os_event) ~ high, d)
    until <- min(tapply(d$os_days, d$high, max))
    tab <- summary(fit, rmean = until)$table
    found[[rna]] <- list(median_level = median(d$level), chisq = unname(test$chisq), p = pchisq(test$chisq, 1, lower.tail = FALSE),
      expected = unname(test$exp), median = unname(tab[, "median"]), median_low = unname(tab[, "0.95LCL"]),
      median_high = unname(tab[, "0.95UCL"]), mean = unname(tab[, "rmean"]), mean_se = unname(tab[, "se(rmean)"]),
      until = until, alone = model(Surv(os_days, os_event) ~ level, d),
      adjusted = model(Surv(os_days, os_event) ~ level + age + cyto_risk, d),
      split_alone = model(Surv(os_days, os_event) ~ high, d),
      split_adjusted = model(Surv(os_days, os_event) ~ high + age + cyto_risk, d))
  }
  found$control <- model(Surv(os_days, os_event) ~ age + cyto_risk, d)
  found$age <- model(Surv(os_days, os_event) ~ age, d)
  found$age_strata <- model(Surv(os_days, os_event) ~ age + strata(cyto_risk), d)
  risk <- survdiff(Surv(os_days, os_event) ~ cyto_risk, d)
  found$cyto_risk <- list(chisq = unname(risk$chisq), model = model(Surv(os_days, os_event) ~ cyto_risk, d))
  tested <- c("hsa-mir-362", "hsa-mir-20b", "hsa-mir-502", "hsa-mir-532", "hsa-mir-25", "hsa-mir-363", "hsa-mir-660")
  p <- sapply(tested, function(rna) summary(coxph(Surv(os_days, os_event) ~ log2(d[[rna]] + 1), d))$coefficients[, 5])
  found$screen <- list(rna = tested, p = unname(p), holm = unname(p.adjust(p, "holm")), bh = unname(p.adjust(p, "BH")))
  out[[subset]] <- found
}
rossi <- read.csv(file.path(shared, "statistics/rossi.csv"))
out$rossi <- list(chisq = survdiff(Surv(week, arrest) ~ fin, rossi)$chisq, alone = model(Surv(week, arrest) ~ fin, rossi),
  adjusted = model(Surv(week, arrest) ~ fin + age + race + wexp + mar + paro + prio, rossi),
  stratified = survdiff(Surv(week, arrest) ~ fin + strata(wexp), rossi)$chisq)
larynx <- read.csv(file.path(shared, "statistics/larynx.csv"))
larynx$stage <- 1 + larynx$Stage_II + 2 * larynx$Stage_III + 3 * larynx$Stage_IV
out$larynx <- list(chisq = survdiff(Surv(time, death) ~ stage, larynx)$chisq,
  adjusted = model(Surv(time, death) ~ factor(stage) + age, larynx), age = model(Surv(time, death) ~ age, larynx))
aml <- read.csv(file.path(shared, "statistics/aml.csv"))
out$aml <- list(chisq = survdiff(Surv(time, status) ~ x, aml)$chisq, alone = model(Surv(time, status) ~ x, aml))
lung <- read.csv(file.path(shared, "statistics/lung.csv"))
out$lung <- list(chisq = survdiff(Surv(time, status) ~ sex, lung)$chisq, peto = survdiff(Surv(time, status) ~ sex, lung, rho = 1)$chisq,
  adjusted = model(Surv(time, status) ~ age + sex + ph.ecog, lung),
  stratified = model(Surv(time, status) ~ age + sex + strata(ph.ecog), lung))
cat(toJSON(out, digits = I(15), auto_unbox = FALSE, na = "null", null = "null"), "\n")
